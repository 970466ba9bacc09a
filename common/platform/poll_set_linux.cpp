#include <sys/epoll.h>

#include <array>
#include <cerrno>

#include "common/files/files.hpp"
#include "common/platform/poll_set.hpp"

namespace wtpool::platform {

PollSet::PollSet() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!fd_.valid()) throw io_error("cannot make", "an epoll instance", errno);
}

void PollSet::add(int fd) {
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.fd = fd;
  if (::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &wanted) != 0) throw io_error("cannot add to", "an epoll instance", errno);
}

void PollSet::remove(int fd) { ::epoll_ctl(fd_.get(), EPOLL_CTL_DEL, fd, nullptr); }

std::vector<int> PollSet::ready() const {
  std::array<epoll_event, 64> found;
  const int count = ::epoll_wait(fd_.get(), found.data(), static_cast<int>(found.size()), 0);
  std::vector<int> fds;
  for (int i = 0; i < count; ++i) fds.push_back(found[static_cast<std::size_t>(i)].data.fd);
  return fds;
}

}  // namespace wtpool::platform
