// A story told under strace: its recording, its judge, and the place where its files stand.
#pragma once

#include "tests/faults/power/judge.hpp"

namespace wtpool::test::power {

class Told {
 public:
  Told();  // runs it; throws when it did not come to its end or could not be recorded exactly
  ~Told();
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;

  [[nodiscard]] const Recording& recording() const { return *recording_; }
  [[nodiscard]] const Judge& judge() const { return *judge_; }
  [[nodiscard]] const fs::path& world() const { return recording_->directory; }
  [[nodiscard]] const Environment& environment() const { return environment_; }

 private:
  TempDir out_;
  fs::path world_;
  Environment environment_;
  std::optional<Recording> recording_;
  std::optional<Judge> judge_;
};

}  // namespace wtpool::test::power
