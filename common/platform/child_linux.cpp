#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <vector>

#include "common/platform/child.hpp"
#include "common/platform/proc_linux.hpp"

namespace wtpool::platform {

Fd watch_child(pid_t child) { return Fd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0))); }

bool group_runs(pid_t group) {
  bool runs = false;
  for_each_process([&](std::int64_t pid) {
    const auto stat = proc_stat(pid);
    runs = stat && stat->group == group && !stat->ended();
    return !runs;
  });
  return runs;
}

int keep_only(posix_spawnattr_t&, posix_spawn_file_actions_t& actions, std::span<const int> inherited) {
  std::vector<int> kept(inherited.begin(), inherited.end());
  std::sort(kept.begin(), kept.end());
  int next = 3;
  for (const int fd : kept) {
    // Closing a number that is not open is no failure in a file action.
    for (; next < fd; ++next)
      if (const int failure = ::posix_spawn_file_actions_addclose(&actions, next)) return failure;
    // A descriptor duplicated to itself loses close-on-exec, in the child alone (glibc 2.29 and later).
    if (const int failure = ::posix_spawn_file_actions_adddup2(&actions, fd, fd)) return failure;
    next = fd + 1;
  }
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
  return ::posix_spawn_file_actions_addclosefrom_np(&actions, next);
#else
  return 0;  // every descriptor of this project is close-on-exec
#endif
}

}  // namespace wtpool::platform
