// The long machines: each breaks something many times, looks whether all still holds, and says in one line what it did. The
// program wtpool_faults runs one by its name; test_faults runs each for a short time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/faults/invariants.hpp"

namespace wtpool::test {

struct Task {
  unsigned seed = 1;  // what chance decides is decided by it; what the scheduler decides is not
  int amount = 1;     // of what `Machine::amount_is` says
  int clients = 32;
  int slots = 64;
  int minutes = 0;                // of the sweep, which then stops where it is; 0 for no end
  std::string operation = "all";  // of the sweep, and of the kill points
};

struct Report {
  std::string figures;    // one line, for people
  Violations violations;  // each with where it happened
};

struct Machine {
  const char* name;
  const char* does;
  const char* amount_is;
  int amount;  // when none is given
  Report (*run)(const Task& task);
};

[[nodiscard]] const std::vector<Machine>& machines();

}  // namespace wtpool::test
