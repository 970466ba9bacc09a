#include "common/files/fd.hpp"

#include <unistd.h>

#include <cerrno>

namespace wtpool {

void Fd::reset(int fd) noexcept {
  const int saved = errno;
  // Not repeated after EINTR: Linux has released the number by then, and another thread may own it already.
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
  errno = saved;
}

}  // namespace wtpool
