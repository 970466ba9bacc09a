// The terminal that this process was started from, and whose it is just now: of one process group. Without a terminal every
// call does nothing and says no. One thread.
#pragma once

#include <sys/types.h>

namespace wtpool::client {

class Terminal {
 public:
  Terminal();  // the first terminal among stdin, stderr and stdout

  [[nodiscard]] bool is_stdin() const { return fd_ == 0; }
  [[nodiscard]] bool is_ours() const;  // our process group is in the foreground
  bool give_to(pid_t group) const;     // when it is ours
  void take_from(pid_t group) const;   // when it is that group's

 private:
  int fd_ = -1;
};

// Nobody but this process and what it was started from is in our process group: no pipeline shares the terminal with us.
[[nodiscard]] bool alone_in_own_group();

}  // namespace wtpool::client
