// What is swept: each operation from the state it needs, by the command a user types, to what must be true when it is asked
// for again after the fault.
#pragma once

#include "tests/faults/swept_host.hpp"

namespace wtpool::test {

struct Operation {
  const char* name;
  void (*by_hand)(const Repo& source);  // before the pool is made
  void (*prepare)(SweptHost& host);     // all that comes before the command
  Outcome (*command)(SweptHost& host);
  Violations (*again)(SweptHost& host);  // until slot-0 is idle again
};

[[nodiscard]] const std::vector<Operation>& operations();

}  // namespace wtpool::test
