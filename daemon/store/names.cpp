#include "daemon/store/names.hpp"

#include <algorithm>
#include <array>

namespace wtpool::store {
namespace {

constexpr std::size_t kMaxKey = 200;
constexpr std::size_t kMaxPath = 4000;

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._+-@=").find(c) != std::string_view::npos;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Code points that HFS+ leaves out when it compares names, in UTF-8: U+200C..200F, U+202A..202E, U+206A..206F, U+FEFF.
bool ignored_by_hfs(std::string_view three) {
  if (three.size() < 3) return false;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(three[i]); };
  if (at(0) == 0xEF) return at(1) == 0xBB && at(2) == 0xBF;
  if (at(0) != 0xE2) return false;
  if (at(1) == 0x80) return (at(2) >= 0x8C && at(2) <= 0x8F) || (at(2) >= 0xAA && at(2) <= 0xAE);
  return at(1) == 0x81 && at(2) >= 0xAA && at(2) <= 0xAF;
}

std::string as_hfs_compares(std::string_view name) {
  std::string seen;
  for (std::size_t i = 0; i < name.size();) {
    if (ignored_by_hfs(name.substr(i, 3))) {
      i += 3;
    } else {
      seen += lower(name[i++]);
    }
  }
  return seen;
}

}  // namespace

std::optional<std::string> bad_key(std::string_view key) {
  if (key.empty()) return "is empty";
  if (key.size() > kMaxKey) return "has " + std::to_string(key.size()) + " bytes; at most " + std::to_string(kMaxKey);
  if (key.front() == '.') return "starts with '.'";
  if (!std::ranges::all_of(key, is_key_character)) return "has a character that is none of A-Z a-z 0-9 . _ + - @ =";
  return std::nullopt;
}

bool is_git_directory_name(std::string_view component) {
  std::string name = as_hfs_compares(component);
  // NTFS: what follows a colon is a stream of the file, and a backslash parts directories.
  for (std::size_t start = 0; start <= name.size();) {
    const std::size_t end = std::min(name.find('\\', start), name.size());
    std::string part = name.substr(start, end - start);
    part.resize(std::min(part.find(':'), part.size()));
    while (!part.empty() && (part.back() == '.' || part.back() == ' ')) part.pop_back();
    if (part == ".git" || part == "git~1") return true;
    start = end + 1;
  }
  return false;
}

std::string MemberName::text() const {
  std::string text;
  for (const std::string& component : components) text += (text.empty() ? "" : "/") + component;
  return text;
}

MemberName member_name(std::string_view name) {
  MemberName out;
  if (name.empty()) out.refused = "it has no name";
  if (name.starts_with('/')) out.refused = "its name is absolute";
  if (name.find('\0') != std::string_view::npos) out.refused = "its name has a NUL byte";
  if (name.size() > kMaxPath) out.refused = "its name has more than " + std::to_string(kMaxPath) + " bytes";
  for (std::size_t start = 0; start < name.size() && !out.refused;) {
    const std::size_t end = std::min(name.find('/', start), name.size());
    const std::string_view component = name.substr(start, end - start);
    start = end + 1;
    if (component.empty() || component == ".") continue;
    if (component == "..") out.refused = "its name has a '..'";
    if (is_git_directory_name(component)) out.refused = "its name has a component that is '.git' to some file system";
    if (component.size() > 255) out.refused = "its name has a component of more than 255 bytes";
    out.components.emplace_back(component);
    if (out.components.size() > kMaxDepth) out.refused = "it lies deeper than " + std::to_string(kMaxDepth) + " directories";
  }
  return out;
}

std::string parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash));
}

std::string base_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::string joined(std::string_view directory, std::string_view name) {
  if (directory.empty()) return std::string(name);
  if (name.empty()) return std::string(directory);
  return std::string(directory) + "/" + std::string(name);
}

bool is_at_or_below(std::string_view path, std::string_view top) {
  return top.empty() || path == top || (path.starts_with(top) && path.size() > top.size() && path[top.size()] == '/');
}

bool path_less(std::string_view a, std::string_view b) {
  const std::size_t both = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < both; ++i) {
    if (a[i] == b[i]) continue;
    if (a[i] == '/') return true;
    if (b[i] == '/') return false;
    return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[i]);
  }
  return a.size() < b.size();
}

std::optional<std::string> key_of_archive_name(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kSuffixes{".tar.gz", ".tar.xz", ".tar.zst", ".tgz",
                                                             ".txz",    ".tzst",   ".tar",     ".zip"};
  for (const std::string_view suffix : kSuffixes) {
    if (!name.ends_with(suffix)) continue;
    const std::string key(name.substr(0, name.size() - suffix.size()));
    if (!bad_key(key)) return key;
  }
  return std::nullopt;
}

}  // namespace wtpool::store
