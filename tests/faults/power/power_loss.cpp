#include "tests/faults/power/power_loss.hpp"

#include <set>
#include <stdexcept>

#include "tests/faults/power/restart.hpp"

namespace wtpool::test {
namespace power {

Losses lose_power(const Told& told, const Trial& trial) {
  Losses losses;
  std::set<std::string> known;
  std::mt19937 chance(trial.seed);
  for (std::size_t number = 0; number < trial.schedules; ++number) {
    Schedule schedule{told.judge().pick_moment(chance), trial.law, trial.syncs, {}};
    schedule.chance.seed(chance());
    const Tree disk = after_power_loss(told.recording().base, told.recording().effects, schedule);
    auto wrong = told.judge().violations(disk, schedule.moment, trial.law);
    if (trial.restart_each != 0 && number % trial.restart_each == 0) {
      ++losses.restarts;
      const auto after = after_restart(told, disk, schedule.moment);
      wrong.insert(wrong.end(), after.begin(), after.end());
    }
    ++losses.schedules;
    if (!wrong.empty()) ++losses.lost;
    for (const auto& sentence : wrong) {
      if (!known.insert(sentence).second) continue;
      losses.kinds.push_back(sentence + " (" + told.judge().scene(schedule.moment) + ", schedule " + std::to_string(number) +
                             ")");
    }
  }
  return losses;
}

}  // namespace power

Report power_loss(const Task& task) {
  if (const auto why = power::why_no_strace(); !why.empty()) throw std::runtime_error(why);
  const power::Told told;
  const auto amount = static_cast<std::size_t>(task.amount);
  const auto ordered = power::lose_power(told, {.schedules = amount - amount / 5, .seed = task.seed, .restart_each = 20});
  const auto loose = power::lose_power(told, {.schedules = amount / 5, .seed = task.seed, .law = power::Law::loose});
  Report report;
  report.figures = std::to_string(ordered.schedules + loose.schedules) + " power losses at any of " +
                   std::to_string(told.judge().end()) + " moments, the daemon started after " +
                   std::to_string(ordered.restarts) + " of them, " + std::to_string(ordered.lost + loose.lost) + " with losses";
  report.violations = ordered.kinds;
  report.violations.insert(report.violations.end(), loose.kinds.begin(), loose.kinds.end());
  return report;
}

}  // namespace wtpool::test
