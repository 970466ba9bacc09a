// A command under a lease, from the moment it is let go to its end: signals, terminal and stops on the one side, the lease on
// the other. The main thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "client/cli/terminal.hpp"
#include "client/run/child.hpp"
#include "client/run/lease_keeper.hpp"

namespace wtpool::client {

// Signals of `run`, besides the usual ones.
inline constexpr std::initializer_list<int> kRunSignals = {SIGQUIT, SIGCHLD, SIGTSTP, SIGCONT};
// Between SIGTERM and SIGKILL.
inline constexpr std::chrono::seconds kGrace{5};

struct Ended {
  int exit_code = 0;                      // the command's; 128+n when a signal ended it
  std::optional<std::string> lease_over;  // why it was ended before its time
  bool timed_out = false;                 // ended since its time was over
};

class Running {
 public:
  Running(Child& child, Holding& holding, Interrupts& signals);
  ~Running();  // takes the terminal back
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  // The terminal goes to the command before it starts. Nothing when it started.
  [[nodiscard]] std::optional<CannotRun> let_go();
  // Until the command has ended, and its group with it. After `limit` it is ended.
  [[nodiscard]] Ended wait(std::optional<std::chrono::milliseconds> limit = std::nullopt);

 private:
  void hear(int signal);
  void stopped(int signal);
  void stop_ourselves(int signal);
  Ended finish(std::optional<std::string> lease_over);

  Child& child_;
  Holding& holding_;
  Interrupts& signals_;
  Terminal terminal_;
  const pid_t group_;
  bool gives_terminal_ = false;  // unasked; else when the command wants it
  bool stopped_ = false;
};

}  // namespace wtpool::client
