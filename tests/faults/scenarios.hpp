// What a daemon can be killed in the middle of, one operation each, with every step of it that a failpoint names.
#pragma once

#include <string>
#include <vector>

#include "tests/faults/stage.hpp"

namespace wtpool::test {

struct Scenario {
  const char* name;
  // Failpoints that the act passes, at least once, when nothing goes wrong. Of this list, and of those of recovery, the test
  // knows that no place is left out.
  std::vector<std::string> passes;
  void (*prepare)(Stage& stage);  // the daemon serves, and is stopped afterwards
  void (*act)(Stage& stage);      // the daemon may die in it
  void (*finish)(Stage& stage);   // a daemon serves again: what a client does who got no answer, to its end
};

[[nodiscard]] const std::vector<Scenario>& scenarios();

// Runs `scenario` and returns what it passed, in order, each as NAME@N.
[[nodiscard]] std::vector<std::string> points_of(const Scenario& scenario);

// One kill at `point`; with `again`, another one at that point of the recovery. Violations say where.
struct KillAt {
  std::string point;
  std::string again = {};
};
struct KilledRun {
  Violations violations;
  std::vector<std::string> recovery;  // what the start after the last kill passed, until all was quiet
  bool reached = false;               // the first kill happened
};
[[nodiscard]] KilledRun run_killed(const Scenario& scenario, const KillAt& kill);

// Every name in the sources: FAILPOINT("...").
[[nodiscard]] std::vector<std::string> names_in_sources();

}  // namespace wtpool::test
