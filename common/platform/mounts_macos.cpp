#include <sys/mount.h>
#include <sys/param.h>

#include <string>

#include "common/platform/mounts.hpp"

namespace wtpool::platform {

std::vector<std::filesystem::path> mounts_below(const std::filesystem::path& directory) {
  const std::string below = directory.string() + "/";
  struct statfs* mounts = nullptr;
  const int count = ::getmntinfo(&mounts, MNT_NOWAIT);
  std::vector<std::filesystem::path> found;
  for (int i = 0; i < count; ++i) {
    const std::string point = mounts[i].f_mntonname;
    if (point.starts_with(below)) found.emplace_back(point);
  }
  return found;
}

}  // namespace wtpool::platform
