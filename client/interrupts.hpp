// SIGINT, SIGTERM and SIGHUP as something to poll for, while one of these stands; the signals' old handling is back after it.
// At most one at a time in a process; the main thread.
#pragma once

#include <csignal>
#include <iterator>

#include "common/fd.hpp"

namespace wtpool::client {

// Thrown when the user insisted: leave at once, whatever stands open.
struct Interrupted {
  int signal = SIGINT;
};

class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  [[nodiscard]] int descriptor() const { return read_.get(); }  // readable when a signal came
  void drain();                                                 // takes what came; afterwards count and last are up to date
  [[nodiscard]] int count() const { return count_; }
  [[nodiscard]] int last() const { return last_; }  // the latest signal, 0 when none

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  Fd read_;
  Fd write_;
  struct sigaction before_[std::size(kSignals)] = {};
  int count_ = 0;
  int last_ = 0;
};

}  // namespace wtpool::client
