// Signals as something to poll for, while one of these stands; the signals' old handling is back after it. At most one at a
// time in a process; the main thread.
#pragma once

#include <csignal>
#include <initializer_list>
#include <vector>

#include "common/files/fd.hpp"

namespace wtpool::client {

// Thrown when the user insisted: leave at once, whatever stands open.
struct Interrupted {
  int signal = SIGINT;
};

class Interrupts {
 public:
  // SIGINT, SIGTERM and SIGHUP, and `further` ones, but for those that we were started to ignore. Of the further ones SIGCHLD
  // and what stops and continues processes ask for no end, and are not counted.
  explicit Interrupts(std::initializer_list<int> further = {});
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  [[nodiscard]] int descriptor() const { return read_.get(); }  // readable when a signal came
  void drain();                                                 // takes what came; afterwards count and last are up to date
  [[nodiscard]] std::vector<int> take();                        // all since the last call, in their order
  [[nodiscard]] int count() const { return count_; }
  [[nodiscard]] int last() const { return last_; }  // the latest signal that was counted, 0 when none
  void restore() const;                             // the old handling; for a child that was just forked, too

 private:
  struct Handled {
    int signal = 0;
    struct sigaction before = {};
  };
  Fd read_;
  Fd write_;
  std::vector<Handled> handled_;
  std::vector<int> arrived_;
  int count_ = 0;
  int last_ = 0;
};

}  // namespace wtpool::client
