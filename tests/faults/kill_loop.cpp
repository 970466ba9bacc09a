#include "tests/faults/kill_loop.hpp"

namespace wtpool::test {

Report kill_loop(const Task& task) {
  World world;
  const Repo repo = world.make_repo();
  const auto before = Before::of(repo);
  Ledger ledger;
  const Observed observed{world, repo, before, ledger};
  world.start_daemon();
  world.init(repo);
  Report report;
  for (int kill = 0; kill < task.amount; ++kill) {
    const auto name = "x" + std::to_string(kill);
    ledger.asked(name);
    const auto outcome = world.wtpool({"--json", "acquire", name});
    if (outcome.code == 0) ledger.acknowledged(name, json::parse(outcome.out));
    world.kill_daemon();
    for (const auto& violation : violations_on_disk(observed, ledger.stories())) report.violations.push_back(violation);
    world.start_daemon();
    for (const auto& violation : violations_in_daemon(observed, ledger.stories())) report.violations.push_back(violation);
    ledger.leaving(name);
    world.release(name);
    ledger.left(name);
  }
  const auto left = violations(observed);
  report.violations.insert(report.violations.end(), left.begin(), left.end());
  report.figures =
      std::to_string(task.amount) + " kills of the daemon, " + std::to_string(report.violations.size()) + " violations";
  return report;
}

}  // namespace wtpool::test
