#include <fcntl.h>
#include <signal.h>
#include <sys/event.h>
#include <unistd.h>

#include "common/platform/child.hpp"

namespace wtpool::platform {

Fd watch_child(pid_t child) {
  Fd queue(::kqueue());
  if (!queue.valid()) return {};
  ::fcntl(queue.get(), F_SETFD, FD_CLOEXEC);
  struct kevent change {};
  EV_SET(&change, static_cast<uintptr_t>(child), EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, nullptr);
  if (::kevent(queue.get(), &change, 1, nullptr, 0, nullptr) != 0) return {};
  return queue;
}

bool group_runs(pid_t group) { return ::kill(-group, 0) == 0; }

int keep_only(posix_spawnattr_t& attributes, posix_spawn_file_actions_t& actions, std::span<const int> inherited) {
  short flags = 0;
  if (const int failure = ::posix_spawnattr_getflags(&attributes, &flags)) return failure;
  if (const int failure = ::posix_spawnattr_setflags(&attributes, static_cast<short>(flags | POSIX_SPAWN_CLOEXEC_DEFAULT)))
    return failure;
  for (const int fd : inherited)
    if (const int failure = ::posix_spawn_file_actions_addinherit_np(&actions, fd)) return failure;
  return 0;
}

}  // namespace wtpool::platform
