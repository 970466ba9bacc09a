#include "common/base/timed.hpp"

#include "common/base/log.hpp"

namespace wtpool {

Timed::Timed(std::string_view what, std::string_view which) {
  if (!logs(LogLevel::debug)) return;
  what_ = what;
  if (!which.empty()) what_.append(" ").append(which);
  begin_ = std::chrono::steady_clock::now();
}

Timed::~Timed() {
  if (what_.empty()) return;
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin_);
  try {
    log_debug(what_ + " took " + std::to_string(took.count()) + " us");
  } catch (const std::exception&) {  // a log that is full is no reason to fail
  }
}

}  // namespace wtpool
