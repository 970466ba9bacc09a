#include "tests/faults/machines.hpp"

#include "tests/faults/clients.hpp"
#include "tests/faults/kill_loop.hpp"

namespace wtpool::test {

const std::vector<Machine>& machines() {
  static const std::vector<Machine> all = {
      {"kill-loop", "kills the daemon while clients work, and looks after each kill", "kills", 100, kill_loop},
      {"clients", "many clients at once, each doing something else", "seconds", 30, clients_at_once},
  };
  return all;
}

}  // namespace wtpool::test
