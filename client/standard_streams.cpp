#include "client/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

namespace wtpool::client {

void secure_standard_streams() {
  std::signal(SIGPIPE, SIG_IGN);
  while (true) {
    const int fd = ::open("/dev/null", O_RDONLY);
    if (fd < 0 || fd > 2) {
      if (fd > 2) ::close(fd);
      return;
    }
  }
}

}  // namespace wtpool::client
