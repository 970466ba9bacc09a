// Says in the log how long something took, at level debug: `<what> took <n> us`. Does nothing where that is not logged.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace wtpool {

class Timed {
 public:
  explicit Timed(std::string_view what, std::string_view which = {});  // until the end of the scope
  ~Timed();
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  std::string what_;  // empty: nobody wants to know
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace wtpool
