#include "client/cli/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

namespace wtpool::client {
namespace {

void (*sigpipe_before)(int) = SIG_DFL;

}  // namespace

void hand_on_sigpipe() { std::signal(SIGPIPE, sigpipe_before); }

void secure_standard_streams() {
  if (const auto before = std::signal(SIGPIPE, SIG_IGN); before != SIG_ERR) sigpipe_before = before;
  while (true) {
    const int fd = ::open("/dev/null", O_RDONLY);
    if (fd < 0 || fd > 2) {
      if (fd > 2) ::close(fd);
      return;
    }
  }
}

}  // namespace wtpool::client
