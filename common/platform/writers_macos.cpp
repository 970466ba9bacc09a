#include <sys/mount.h>
#include <sys/param.h>

#include "common/platform/writers.hpp"

namespace wtpool::platform {

Writers writers_of(int) { return Writers::unknown; }

bool is_local(const std::filesystem::path& directory) {
  struct ::statfs facts {};
  return ::statfs(directory.c_str(), &facts) == 0 && (facts.f_flags & MNT_LOCAL) != 0;
}

}  // namespace wtpool::platform
