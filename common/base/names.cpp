#include "common/base/names.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>

namespace wtpool {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// One code point from the front; its length in bytes, or 0 when the bytes are not UTF-8.
std::size_t next_code_point(std::string_view text, utf8proc_int32_t& code_point) {
  const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &code_point);
  return length > 0 && code_point >= 0 ? static_cast<std::size_t>(length) : 0;
}

bool is_bidirectional(utf8proc_int32_t c) {
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

// Line and paragraph separators draw a new line as a control character does.
bool is_control(utf8proc_int32_t c) { return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029; }

bool is_nfc(std::string_view text) {
  utf8proc_uint8_t* composed = nullptr;
  const auto length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &composed, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const bool same =
      length >= 0 && std::string_view(reinterpret_cast<const char*>(composed), static_cast<std::size_t>(length)) == text;
  std::free(composed);
  return same;
}

std::optional<std::string> bad_characters(std::string_view name) {
  for (std::string_view rest = name; !rest.empty();) {
    utf8proc_int32_t code_point = 0;
    const std::size_t length = next_code_point(rest, code_point);
    if (length == 0) return "is not valid UTF-8";
    if (is_control(code_point)) return "has a control character";
    if (is_bidirectional(code_point)) return "has a bidirectional formatting character";
    rest.remove_prefix(length);
  }
  if (!is_nfc(name)) return "is not in Unicode normal form C";
  return std::nullopt;
}

// One path component of a branch, as git's check-ref-format takes it, and short enough to be a file name beside its lock.
std::optional<std::string> bad_component(std::string_view component) {
  constexpr std::size_t kMaxComponent = 200;
  if (component.empty()) return "has an empty component (a slash at an end, or two together)";
  if (component.front() == '.') return "has a component that starts with '.'";
  if (component.ends_with(".lock")) return "has a component that ends in '.lock'";
  if (component.size() > kMaxComponent)
    return "has a component of " + std::to_string(component.size()) + " bytes; at most " + std::to_string(kMaxComponent);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> bad_name(std::string_view name) {
  constexpr std::size_t kMaxName = 244;  // with "refs/heads/" before it: 255
  if (name.empty()) return "is empty";
  if (name.size() > kMaxName) return "has " + std::to_string(name.size()) + " bytes; at most " + std::to_string(kMaxName);
  if (auto why = bad_characters(name)) return why;

  if (name.front() == '-') return "starts with '-'";
  if (name == "@") return "is '@', which git reads as HEAD";
  if (name == "HEAD" || name.ends_with("_HEAD")) return "is a name that git keeps for itself";
  if (name.starts_with("refs/")) return "is a full ref name; give the branch's short name";
  if (name.back() == '.') return "ends in '.'";
  if (name.find("..") != std::string_view::npos) return "has '..'";
  if (name.find("@{") != std::string_view::npos) return "has '@{'";
  if (const auto at = name.find_first_of(" ~^:?*[\\"); at != std::string_view::npos)
    return std::string("has the character '") + name[at] + "', which git allows in no branch";

  for (std::size_t start = 0; start <= name.size();) {
    const std::size_t end = std::min(name.find('/', start), name.size());
    if (auto why = bad_component(name.substr(start, end - start))) return why;
    start = end + 1;
  }
  return std::nullopt;
}

std::optional<std::string> bad_pool_key(std::string_view key) {
  if (key.empty()) return "is empty";
  if (key.size() > 100) return "has " + std::to_string(key.size()) + " bytes; at most 100";
  if (key.front() == '.' || key.front() == '-') return "starts with '.' or '-'";
  for (const char c : key)
    if (!is_letter(c) && !is_digit(c) && c != '.' && c != '_' && c != '-')
      return "has a character other than letters, digits, '.', '_' and '-'";
  return std::nullopt;
}

std::optional<std::string> bad_group(std::string_view group) {
  if (group.empty()) return "is empty";
  if (group.size() > 64) return "has " + std::to_string(group.size()) + " bytes; at most 64";
  if (!is_letter(group.front())) return "does not start with a letter";
  for (const char c : group)
    if (!is_letter(c) && !is_digit(c) && c != '.' && c != '_' && c != '-')
      return "has a character other than letters, digits, '_', '.' and '-'";
  if (group == "slot") return "is 'slot', which names the slots of a pool without groups";
  if (const auto dash = group.rfind('-');
      dash != std::string_view::npos && group.find_first_not_of("0123456789", dash + 1) == std::string_view::npos)
    return "ends like a slot id";
  return std::nullopt;
}

std::string printable(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    utf8proc_int32_t code_point = 0;
    const std::size_t valid = next_code_point(text, code_point);
    const std::size_t length = valid == 0 ? 1 : valid;
    if (valid == 0 || is_control(code_point) || is_bidirectional(code_point)) {
      for (const char c : text.substr(0, length)) {
        const auto byte = static_cast<unsigned char>(c);
        shown += "\\x";
        shown += kHex[byte >> 4];
        shown += kHex[byte & 15];
      }
    } else {
      shown += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return shown;
}

}  // namespace wtpool
