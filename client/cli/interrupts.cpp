#include "client/cli/interrupts.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

#include "common/files/files.hpp"

namespace wtpool::client {
namespace {

std::atomic<int> pipe_to_tell{-1};
static_assert(std::atomic<int>::is_always_lock_free, "used in a signal handler");

void tell(int signal) {
  const int saved = errno;
  const auto byte = static_cast<unsigned char>(signal);
  if (const int fd = pipe_to_tell.load(); fd >= 0) {
    [[maybe_unused]] const ssize_t written = ::write(fd, &byte, 1);  // a full pipe has told enough
  }
  errno = saved;
}

}  // namespace

Interrupts::Interrupts(std::initializer_list<int> further) {
  int ends[2];
  if (::pipe(ends) != 0) throw io_error("cannot make a pipe for", "signals", errno);
  read_.reset(ends[0]);
  write_.reset(ends[1]);
  for (const int fd : ends) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
  }
  pipe_to_tell = write_.get();
  struct sigaction action = {};
  action.sa_handler = tell;
  sigemptyset(&action.sa_mask);
  std::vector<int> signals = {SIGINT, SIGTERM, SIGHUP};
  signals.insert(signals.end(), further.begin(), further.end());
  for (const int signal : signals) {
    Handled& handled = handled_.emplace_back();
    handled.signal = signal;
    ::sigaction(signal, nullptr, &handled.before);
    // nohup and `&` in a script have said that the signal is not for us; a child's end that nobody hears of is lost
    if (handled.before.sa_handler != SIG_IGN || signal == SIGCHLD) ::sigaction(signal, &action, nullptr);
  }
}

Interrupts::~Interrupts() {
  restore();
  pipe_to_tell = -1;
}

void Interrupts::restore() const {
  for (const Handled& handled : handled_) ::sigaction(handled.signal, &handled.before, nullptr);
}

void Interrupts::drain() {
  unsigned char byte = 0;
  while (::read(read_.get(), &byte, 1) == 1) {
    arrived_.push_back(byte);
    if (byte == SIGCHLD || byte == SIGCONT || byte == SIGTSTP) continue;
    ++count_;
    last_ = byte;
  }
}

std::vector<int> Interrupts::take() {
  drain();
  return std::exchange(arrived_, {});
}

}  // namespace wtpool::client
