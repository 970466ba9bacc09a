#include <fcntl.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/eventfd.h>
#endif

#include <cerrno>
#include <system_error>

#include "common/process/run_child.hpp"
#include "proto/errors.hpp"

namespace wtpool {

struct StopToken::State {
  std::atomic<bool> requested{false};
  Fd readable;
  Fd writable;  // unused where one descriptor is both
};

StopToken::StopToken() : state_(std::make_shared<State>()) {
#ifdef __linux__
  state_->readable.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
#else
  int ends[2] = {-1, -1};
  if (::pipe(ends) == 0) {
    state_->readable.reset(ends[0]);
    state_->writable.reset(ends[1]);
    for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  }
#endif
  if (!state_->readable.valid())
    throw proto::Error(proto::ErrorKind::io_error, "cannot make a descriptor: " + std::generic_category().message(errno));
}

void StopToken::request_stop() const {
  if (state_->requested.exchange(true)) return;
  // Nobody reads it, so it stays readable: one write serves every copy and every later poll.
  const std::uint64_t one = 1;
  const int fd = state_->writable.valid() ? state_->writable.get() : state_->readable.get();
  ssize_t written = 0;
  do {
    written = ::write(fd, &one, sizeof one);
  } while (written < 0 && errno == EINTR);
}

bool StopToken::stop_requested() const { return state_->requested.load(); }

int StopToken::descriptor() const { return state_->readable.get(); }

}  // namespace wtpool
