#include "common/platform/mounts.hpp"

#include <algorithm>
#include <string>

namespace wtpool::platform {
namespace {

// Blanks and backslashes are written as three octal digits.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto is_digit = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && is_digit(i + 1) && is_digit(i + 2) && is_digit(i + 3)) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

}  // namespace

std::vector<std::filesystem::path> mount_points_in(std::string_view mountinfo) {
  std::vector<std::filesystem::path> points;
  while (!mountinfo.empty()) {
    std::string_view line = mountinfo.substr(0, mountinfo.find('\n'));
    mountinfo.remove_prefix(std::min(mountinfo.size(), line.size() + 1));
    // <id> <parent> <device> <root> <mount point> ...
    for (int field = 0; field < 4 && !line.empty(); ++field) {
      const std::size_t blank = line.find(' ');
      line = blank == std::string_view::npos ? std::string_view{} : line.substr(blank + 1);
    }
    const std::string point = unescaped(line.substr(0, line.find(' ')));
    if (!point.empty()) points.emplace_back(point);
  }
  return points;
}

}  // namespace wtpool::platform
