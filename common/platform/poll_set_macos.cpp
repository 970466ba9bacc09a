#include <fcntl.h>
#include <sys/event.h>
#include <sys/time.h>

#include <array>
#include <cerrno>

#include "common/files/files.hpp"
#include "common/platform/poll_set.hpp"

namespace wtpool::platform {

PollSet::PollSet() : fd_(::kqueue()) {
  if (!fd_.valid()) throw io_error("cannot make", "a kqueue", errno);
  ::fcntl(fd_.get(), F_SETFD, FD_CLOEXEC);
}

void PollSet::add(int fd) {
  struct ::kevent wanted {};
  EV_SET(&wanted, static_cast<uintptr_t>(fd), EVFILT_READ, EV_ADD, 0, 0, nullptr);
  if (::kevent(fd_.get(), &wanted, 1, nullptr, 0, nullptr) != 0) throw io_error("cannot add to", "a kqueue", errno);
}

void PollSet::remove(int fd) {
  struct ::kevent unwanted {};
  EV_SET(&unwanted, static_cast<uintptr_t>(fd), EVFILT_READ, EV_DELETE, 0, 0, nullptr);
  ::kevent(fd_.get(), &unwanted, 1, nullptr, 0, nullptr);
}

std::vector<int> PollSet::ready() const {
  std::array<struct ::kevent, 64> found;
  const struct ::timespec at_once {};
  const int count = ::kevent(fd_.get(), nullptr, 0, found.data(), static_cast<int>(found.size()), &at_once);
  std::vector<int> fds;
  for (int i = 0; i < count; ++i) fds.push_back(static_cast<int>(found[static_cast<std::size_t>(i)].ident));
  return fds;
}

}  // namespace wtpool::platform
