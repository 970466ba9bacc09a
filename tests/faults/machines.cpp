#include "tests/faults/machines.hpp"

#include "tests/faults/clients.hpp"
#include "tests/faults/git_kills.hpp"
#include "tests/faults/kill_loop.hpp"
#include "tests/faults/kill_points.hpp"
#include "tests/faults/power/power_loss.hpp"
#include "tests/faults/recovery.hpp"
#include "tests/faults/sweep.hpp"

namespace wtpool::test {

const std::vector<Machine>& machines() {
  static const std::vector<Machine> all = {
      {"kill-loop", "kills the daemon while clients work, and looks after each kill", "kills", 100, kill_loop},
      {"clients", "many clients at once, each doing something else", "seconds", 30, clients_at_once},
      {"recovery", "kills a daemon with slots in every state, and times the next start", "kills", 15, recovery},
      {"power-loss", "fails the power of a simulated disk, and looks what is left", "power losses", 10'000, power_loss},
      {"kill-points", "kills the daemon at every named step of every operation, and again in the recovery",
       "kills in each recovery", 1, kill_points},
      {"git-kills", "kills gits of the daemon at random moments, and as many of a person's", "kills", 100, git_kills},
      {"sweep",
       "kills daemon, git or both at every call that changes something, in each operation and in what recovers from it",
       "every how many points one is tried", 1, sweep},
  };
  return all;
}

}  // namespace wtpool::test
