#include "tests/faults/machines.hpp"

#include "tests/faults/kill_loop.hpp"

namespace wtpool::test {

const std::vector<Machine>& machines() {
  static const std::vector<Machine> all = {
      {"kill-loop", "kills the daemon while clients work, and looks after each kill", "kills", 100, kill_loop},
  };
  return all;
}

}  // namespace wtpool::test
