#include "client/run/session.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <limits>

namespace wtpool::client {

Running::Running(Child& child, Holding& holding, Interrupts& signals)
    : child_(child), holding_(holding), signals_(signals), group_(child.group()) {
  // In a pipeline others of our group read the terminal or get its Ctrl-C as well: they keep it until the command asks.
  gives_terminal_ = terminal_.is_stdin() && terminal_.is_ours() && alone_in_own_group();
}

Running::~Running() { terminal_.take_from(group_); }

std::optional<CannotRun> Running::let_go() {
  if (gives_terminal_) terminal_.give_to(group_);
  return child_.let_go();
}

void Running::hear(int signal) {
  if (signal == SIGCHLD) return;  // what became of the child is looked at anyway
  if (signal != SIGCONT) return child_.signal(signal);
  if (!stopped_) return;
  if (gives_terminal_) terminal_.give_to(group_);
  child_.signal(SIGCONT);
}

void Running::stopped(int signal) {
  // It wants the terminal, which is ours to give.
  if ((signal == SIGTTIN || signal == SIGTTOU) && terminal_.give_to(group_)) return child_.signal(SIGCONT);
  stopped_ = true;
  terminal_.take_from(group_);
  // The shell waits for what it started, our whole group, and not for the command's. One that nobody could continue is not
  // stopped by these signals.
  stop_ourselves(signal == SIGTTIN || signal == SIGTTOU ? signal : SIGTSTP);
}

void Running::stop_ourselves(int signal) {
  struct sigaction otherwise = {};
  struct sigaction before = {};
  otherwise.sa_handler = SIG_DFL;
  sigemptyset(&otherwise.sa_mask);
  ::sigaction(signal, nullptr, &before);
  if (before.sa_handler == SIG_IGN) return;
  ::sigaction(signal, &otherwise, nullptr);
  ::kill(0, signal);
  ::sigaction(signal, &before, nullptr);
}

Ended Running::wait(std::optional<std::chrono::milliseconds> limit) {
  using std::chrono::steady_clock;
  const auto started = steady_clock::now();
  while (true) {
    for (const int signal : signals_.take()) hear(signal);
    while (const auto change = child_.change()) {
      if (change->kind == Child::Change::Kind::ended) return finish(std::nullopt);
      if (change->kind == Child::Change::Kind::continued) stopped_ = false;
      if (change->kind == Child::Change::Kind::stopped) stopped(change->signal);
    }
    std::array<struct pollfd, 2> ready = {{{signals_.descriptor(), POLLIN, 0}, {holding_.descriptor(), POLLIN, 0}}};
    int patience = holding_.connected() ? -1 : static_cast<int>(kTryAgain.count());
    if (limit) {
      const auto left = *limit - std::chrono::floor<std::chrono::milliseconds>(steady_clock::now() - started);
      if (left.count() <= 0) {
        Ended ended = finish(std::nullopt);
        ended.timed_out = true;
        return ended;
      }
      const int rest = static_cast<int>(std::min<std::int64_t>(left.count(), std::numeric_limits<int>::max()));
      patience = patience < 0 ? rest : std::min(patience, rest);
    }
    ::poll(ready.data(), ready.size(), patience);
    if (auto over = holding_.look(ready[1].revents != 0)) return finish(std::move(over));
  }
}

Ended Running::finish(std::optional<std::string> lease_over) {
  signals_.drain();
  const int heard = signals_.count();
  const int code = child_.finish(kGrace, [this, heard] {
    signals_.drain();
    return signals_.count() > heard;
  });
  return {code, std::move(lease_over)};
}

}  // namespace wtpool::client
