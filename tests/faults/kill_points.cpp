#include "tests/faults/kill_points.hpp"

#include <iostream>
#include <random>
#include <regex>
#include <set>

namespace wtpool::test {
namespace {

// NAME by line → NAME@N by line.
std::vector<std::string> numbered(const fs::path& log) {
  std::map<std::string, int> times;
  std::vector<std::string> points;
  for (const auto& name : lines_of(read_text(log))) points.push_back(name + "@" + std::to_string(++times[name]));
  return points;
}

// Some scenarios begin with a quarantine.
Observed disturbed(const Stage& stage) {
  auto observed = stage.observed();
  observed.quarantine_is_wrong = false;
  return observed;
}

// The end is the same however it is come by: the operation can be brought to its end, and the slot works.
Violations ended_well(const Scenario& scenario, Stage& stage) {
  Violations found;
  scenario.finish(stage);
  if (const int code = stage.acquire("next"); code != 0)
    found.push_back("3: the next acquire ends with " + std::to_string(code));
  if (const int code = stage.release("next"); code != 0)
    found.push_back("3: the next release ends with " + std::to_string(code));
  const auto more = violations_over_restart(stage.world, stage.observed());
  found.insert(found.end(), more.begin(), more.end());
  return found;
}

bool is_in_every_run(const Scenario& scenario, const std::string& point) {
  constexpr int kRuns = 4;
  for (int run = 0; run < kRuns; ++run) {
    const auto passed = points_of(scenario);
    if (std::ranges::find(passed, point) == passed.end()) return false;
  }
  return true;
}

}  // namespace

Report kill_points_of(const Scenario& scenario, const Task& task, Points points) {
  std::minstd_rand random(task.seed);
  Report report;
  int kills = 0;
  const auto run = [&](const KillAt& kill) {
    auto ended = run_killed(scenario, kill);
    kills += kill.again.empty() ? 1 : 2;
    report.violations.insert(report.violations.end(), ended.violations.begin(), ended.violations.end());
    return ended;
  };
  auto places = points_of(scenario);
  if (points == Points::named) {
    std::erase_if(places, [&](const std::string& place) {
      return std::ranges::none_of(scenario.passes, [&](const std::string& name) { return place == name + "@1"; });
    });
  }
  for (const auto& point : places) {
    const auto first = run({point});
    // What is written may depend on the second in which it is: such a point is none of every run.
    if (!first.reached && !run({point}).reached && is_in_every_run(scenario, point))
      report.violations.push_back(std::string(scenario.name) + " came not to " + point + " again");
    std::set<std::string> chosen;
    for (int again = 0; again < task.amount && !first.recovery.empty(); ++again)
      chosen.insert(first.recovery[random() % first.recovery.size()]);
    for (const auto& second : chosen) run({point, second});
  }
  report.figures = std::to_string(kills) + " kills in " + scenario.name;
  return report;
}

Report kill_points(const Task& task) {
  Report all;
  int points = 0;
  for (const auto& scenario : scenarios()) {
    if (task.operation != "all" && task.operation != scenario.name) continue;
    const auto report = kill_points_of(scenario, task, Points::all);
    std::cerr << report.figures << "\n" << said(report.violations);  // it takes long
    all.violations.insert(all.violations.end(), report.violations.begin(), report.violations.end());
    points += std::atoi(report.figures.c_str());
  }
  all.figures = std::to_string(points) + " kills of the daemon at named steps of " + std::to_string(scenarios().size()) +
                " operations and of their recovery, " + std::to_string(all.violations.size()) + " violations";
  return all;
}

std::vector<std::string> points_of(const Scenario& scenario) {
  Stage stage;
  scenario.prepare(stage);
  const auto log = stage.world.dir() / "passed";
  stage.restart("*:log=" + log.string());
  fs::remove(log);
  scenario.act(stage);
  stage.world.stop_daemon();
  return numbered(log);
}

KilledRun run_killed(const Scenario& scenario, const KillAt& kill) {
  KilledRun run;
  Stage stage;
  const auto say = [&](const Violations& found) {
    for (const auto& violation : found)
      run.violations.push_back(violation + " (" + scenario.name + ", killed at " + kill.point +
                               (kill.again.empty() ? "" : ", then at " + kill.again) + ")");
  };
  try {
    scenario.prepare(stage);
    stage.restart(kill.point + ":kill");
    scenario.act(stage);
    run.reached = stage.daemon_died();
    say(violations_on_disk(disturbed(stage), stage.ledger.stories()));
    if (!kill.again.empty()) {
      stage.start(kill.again + ":kill");
      (void)stage.ask({"ls"});
      (void)stage.daemon_died(std::chrono::seconds(1));
      say(violations_on_disk(disturbed(stage), stage.ledger.stories()));
    }
    const auto log = stage.world.dir() / "recovery";
    stage.start("*:log=" + log.string());
    if (stage.ask({"--pool", "app", "ls"}) == 0)
      say(violations(disturbed(stage)));
    else
      say(unusable_source(stage.repo));  // the pool was being removed
    run.recovery = numbered(log);
    if (run.violations.empty()) say(ended_well(scenario, stage));
  } catch (const std::exception& error) {
    say({std::string("3: ") + error.what()});
  }
  return run;
}

std::vector<std::string> names_in_sources() {
  std::set<std::string> names;
  static const std::regex kPlace("\\bFAILPOINT\\(\"([^\"]+)\"\\)");
  for (const auto* room : {"common", "daemon"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(WTPOOL_SOURCE_DIR) / room)) {
      if (entry.path().extension() != ".cpp") continue;
      const auto text = read_text(entry.path());
      for (std::sregex_iterator it(text.begin(), text.end(), kPlace), end; it != end; ++it) names.insert((*it)[1]);
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace wtpool::test
