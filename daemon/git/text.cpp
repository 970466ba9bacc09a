#include "daemon/git/text.hpp"

namespace wtpool::git {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text);
}

std::optional<Oid> oid_from(std::string_view text) {
  if (text.size() != 40 && text.size() != 64) return std::nullopt;
  if (text.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  if (text.find_first_not_of('0') == std::string_view::npos) return std::nullopt;
  return Oid(std::string(text));
}

}  // namespace wtpool::git
