#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "common/files/fd.hpp"
#include "common/platform/mounts.hpp"

namespace wtpool::platform {
namespace {

std::string read_whole(const char* file) {
  std::string text;
  const Fd fd(::open(file, O_RDONLY | O_CLOEXEC));
  std::array<char, 1 << 14> buffer{};
  while (fd.valid()) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

std::vector<std::filesystem::path> mounts_below(const std::filesystem::path& directory) {
  const std::string below = directory.string() + "/";
  std::vector<std::filesystem::path> found;
  for (auto& point : mount_points_in(read_whole("/proc/self/mountinfo"))) {
    if (point.string().starts_with(below)) found.push_back(std::move(point));
  }
  return found;
}

}  // namespace wtpool::platform
