// The test of a landing's candidate: a command at that commit, in the slot where it stands, else in another slot of the pool,
// which `wtpool run` takes and gives back. Its output goes to stderr, its process group ends with it. The main thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "client/run/child.hpp"
#include "client/verbs/verbs.hpp"

namespace wtpool::client {

class CandidateTest {
 public:
  // Started when it returns. Throws what keeps it from that.
  CandidateTest(const proto::CandidateNote& candidate, const std::string& command, const Context& context,
                const Interrupts& signals, std::chrono::milliseconds wait);
  ~CandidateTest();  // ends it

  // Its exit code, once it has ended.
  [[nodiscard]] std::optional<int> ended();
  [[nodiscard]] bool found_no_slot(int exit_code) const { return elsewhere_ && exit_code == 125; }
  [[nodiscard]] const proto::CandidateNote& candidate() const { return candidate_; }

 private:
  proto::CandidateNote candidate_;
  bool elsewhere_;
  std::unique_ptr<Child> child_;
};

}  // namespace wtpool::client
