#include "client/cli/terminal.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "common/platform/process.hpp"

namespace wtpool::client {
namespace {

// From the background it is only allowed to one that cannot be stopped for it.
bool set_foreground(int fd, pid_t group) {
  sigset_t stops;
  sigset_t before;
  sigemptyset(&stops);
  sigaddset(&stops, SIGTTOU);
  ::sigprocmask(SIG_BLOCK, &stops, &before);
  const bool done = ::tcsetpgrp(fd, group) == 0;
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return done;
}

}  // namespace

Terminal::Terminal() {
  for (const int fd : {0, 2, 1}) {
    // one that is not our session's own belongs to others, and has no foreground that we may change
    if (::isatty(fd) == 1 && ::tcgetpgrp(fd) > 0) {
      fd_ = fd;
      return;
    }
  }
}

bool Terminal::is_ours() const { return fd_ >= 0 && ::tcgetpgrp(fd_) == ::getpgrp(); }

bool Terminal::give_to(pid_t group) const { return is_ours() && set_foreground(fd_, group); }

void Terminal::take_from(pid_t group) const {
  if (fd_ >= 0 && ::tcgetpgrp(fd_) == group) set_foreground(fd_, ::getpgrp());
}

bool alone_in_own_group() {
  const auto family = platform::ancestors_of(::getpid());
  const auto members = platform::processes_of_group(::getpgrp());
  return std::ranges::all_of(members,
                             [&family](std::int64_t member) { return std::ranges::find(family, member) != family.end(); });
}

}  // namespace wtpool::client
