// The machine `power-loss`: a story is told once, and then the power fails in it, many times and each time otherwise.
#pragma once

#include "tests/faults/machines.hpp"
#include "tests/faults/power/record.hpp"

namespace wtpool::test {

[[nodiscard]] Report power_loss(const Task& task);

namespace power {

struct Trial {
  std::size_t schedules = 0;
  unsigned seed = 1;
  Law law = Law::ordered;
  Syncs syncs = Syncs::all;
  std::size_t restart_each = 0;  // so many disks are judged in the model for one that the real daemon is started on; 0: none
};
struct Losses {
  std::size_t schedules = 0, restarts = 0, lost = 0;
  Violations kinds;  // each sentence once, with the first moment at which it was true
};
[[nodiscard]] Losses lose_power(const Told& told, const Trial& trial);

}  // namespace power
}  // namespace wtpool::test
