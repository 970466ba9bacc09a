// Many descriptors behind one: it is readable while one of them is. Linux: epoll; macOS: kqueue. Any thread.
#pragma once

#include <vector>

#include "common/files/fd.hpp"

namespace wtpool::platform {

class PollSet {
 public:
  PollSet();  // throws proto::Error when the system gives no descriptor

  // Throws proto::Error when the system takes it in no more.
  void add(int fd);
  void remove(int fd);  // while it is open
  // Those that are readable now, a limited number at a time. Never waits.
  [[nodiscard]] std::vector<int> ready() const;
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  Fd fd_;
};

}  // namespace wtpool::platform
