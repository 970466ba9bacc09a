#include "tests/faults/sweep.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "tests/faults/sweep_operations.hpp"

namespace wtpool::test {
namespace {

constexpr int kPointsOfAWorld = 24;         // what a world collects makes looking at it slower
constexpr std::size_t kEnoughOfAUnit = 10;  // violations
constexpr int kShares = 6;                  // of a unit that is tried in full
constexpr auto kTellEach = std::chrono::minutes(1);

// An operation and who is killed in it; in a recovery, after the kill that made something to recover from.
struct Unit {
  const Operation* operation;
  std::vector<Kill> before;
  std::string who;
  long from = 1;   // the first point
  long every = 1;  // from there on
  [[nodiscard]] std::string name() const {
    std::string text = operation->name + std::string(":");
    for (const auto& kill : before) text += " " + kill.who + " " + std::to_string(kill.at) + ",";
    return text + " " + who;
  }
};

using Clock = std::chrono::steady_clock;

struct Swept {
  std::map<std::string, long> points;      // of an operation's name
  std::map<std::string, Unit> to_recover;  // from each signature of the disk, one way to get there
  Violations violations;
  Clock::time_point begun = Clock::now();
  Clock::time_point told = begun;
  bool whole = true;  // each point of each unit was tried, until none was reached any more
  std::mutex mutex;

  [[nodiscard]] std::string figures() const {
    std::string each;
    long total = 0;
    for (const auto& [name, count] : points) {
      each += (each.empty() ? "" : ", ") + name + " " + std::to_string(count);
      total += count;
    }
    return std::to_string(total) + " kill points (" + each + "), " + std::to_string(to_recover.size()) +
           " states to recover from, " + std::to_string(violations.size()) + " violations";
  }
  // It takes long: what was reached is told as it goes.
  void tell_progress() {
    if (Clock::now() - told < kTellEach) return;
    told = Clock::now();
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(told - begun).count();
    std::cerr << "after " << minutes << " min: " << figures() << "\n";
  }
  [[nodiscard]] bool out_of_time(int minutes) const {
    return minutes != 0 && Clock::now() - begun >= std::chrono::minutes(minutes);
  }
};

struct Tried {
  std::size_t killed = 0;  // so many of the kills took place
  std::string where;       // what the last one hit
  std::string signature;   // of the disk after it
  Violations violations;
};

Tried try_point(SweptHost& host, const Operation& operation, const std::vector<Kill>& kills) {
  Tried tried;
  operation.prepare(host);
  host.arm(kills.front());
  (void)operation.command(host);
  for (std::size_t next = 0; next < kills.size(); ++next) {
    const auto killed = host.wait_for_kill(kills[next]);
    if (!killed) break;
    tried.killed = next + 1;
    tried.where = *killed;
    tried.signature = host.signature();
    if (kills[next].who == "git") break;
    for (const auto& violation : violations_on_disk(host.observed(), host.ledger.stories()))
      tried.violations.push_back(violation);
    host.disarm();
    if (next + 1 < kills.size()) host.arm(kills[next + 1]);
    host.start_daemon();
  }
  host.disarm();
  const auto add = [&](const Violations& more) { tried.violations.insert(tried.violations.end(), more.begin(), more.end()); };
  // A lock of shared refs is taken away when the next one needs what it locks, and is old enough.
  if (!host.locks().empty()) add(host.use_another_slot());
  add(violations(host.observed()));
  add(host.unfinished_files());
  if (tried.violations.empty()) add(operation.again(host));
  if (!tried.violations.empty()) return tried;
  add(host.locks());
  add(lost_commits(host.observed()));
  add(lost_files(host.observed()));
  return tried;
}

// At once, since the whole takes minutes.
void tell(Swept& swept, const std::string& violation) {
  swept.violations.push_back(violation);
  std::cerr << violation << "\n";
}

// All points of a unit, one by one, until one is not reached any more.
void sweep_unit(const Unit& unit, int minutes, Swept& swept) {
  std::unique_ptr<SweptHost> host;
  std::size_t failures = 0;
  int number = 0;
  for (long at = unit.from;; at += unit.every, ++number) {
    if (number % kPointsOfAWorld == 0) host.reset();
    if (!host) host = std::make_unique<SweptHost>(unit.operation->by_hand);
    host->number = number;
    auto kills = unit.before;
    kills.push_back({unit.who, at});
    Tried tried;
    try {
      tried = try_point(*host, *unit.operation, kills);
    } catch (const std::exception& failed) {
      tried.killed = kills.size();
      tried.violations.emplace_back(failed.what());
    }
    const std::lock_guard lock(swept.mutex);
    swept.tell_progress();
    if (!tried.violations.empty()) tried.violations.back() += host ? host->log() : "";
    for (const auto& violation : tried.violations)
      tell(swept, unit.name() + " " + std::to_string(at) + " (" + tried.where + "): " + violation);
    if (!tried.violations.empty()) {
      host.reset();
      number = -1;
      if (++failures == kEnoughOfAUnit) {
        swept.whole = false;
        return;
      }
    }
    if (tried.killed < kills.size()) return;
    ++swept.points[unit.operation->name + std::string(unit.before.empty() ? "" : " recovered")];
    const bool half_done =
        tried.signature.find("ing ") != std::string::npos || tried.signature.find("intent") != std::string::npos;
    if (unit.before.empty() && unit.who != "git" && half_done) {
      swept.to_recover.emplace(tried.signature, Unit{unit.operation, kills, ""});
    }
    if (swept.out_of_time(minutes)) {
      swept.whole = false;
      return;
    }
  }
}

// Some points wait, for a lock to be old enough or a git to end: many are tried at once, also of one unit.
void sweep_units(const std::vector<Unit>& whole, const Task& task, Swept& swept) {
  std::vector<Unit> units;
  const int shares = task.amount == 1 ? kShares : 1;
  for (auto unit : whole) {
    unit.every = static_cast<long>(task.amount) * shares;
    for (int share = 0; share < shares; ++share, unit.from += task.amount) units.push_back(unit);
  }
  std::atomic<std::size_t> next = 0;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < std::min(static_cast<std::size_t>(task.clients), units.size()); ++i) {
    threads.emplace_back([&] {
      for (std::size_t at = next++; at < units.size(); at = next++) sweep_unit(units[at], task.minutes, swept);
    });
  }
  for (auto& thread : threads) thread.join();
}

// "acquire-idle: daemon 17, all 46": the one point that a violation names, so many times.
Report replay(const Task& task) {
  const auto colon = task.operation.find(':');
  const auto name = task.operation.substr(0, colon);
  const auto operation = std::ranges::find_if(operations(), [&](const Operation& each) { return each.name == name; });
  if (operation == operations().end()) throw std::runtime_error("there is no operation " + name);
  std::vector<Kill> kills;
  std::istringstream words(task.operation.substr(colon + 1));
  for (Kill kill; words >> kill.who >> kill.at; words.ignore(1, ',')) kills.push_back(kill);
  Report report;
  int reached = 0;
  for (int time = 0; time < task.amount; ++time) {
    SweptHost host(operation->by_hand);
    const auto tried = try_point(host, *operation, kills);
    reached += tried.killed == kills.size() ? 1 : 0;
    report.figures = tried.where + "; ";
    for (const auto& violation : tried.violations) report.violations.push_back(violation + host.log());
  }
  report.figures += "reached " + std::to_string(reached) + " of " + std::to_string(task.amount) + " times, " +
                    std::to_string(report.violations.size()) + " violations";
  return report;
}

}  // namespace

Report sweep(const Task& task) {
  if (task.operation.find(':') != std::string::npos) return replay(task);
  Swept swept;
  std::vector<Unit> units;
  const bool recover_only = task.operation == "recover";
  const auto offset = [&](std::size_t i) {
    return 1 + static_cast<long>((i * 7 + task.seed) % static_cast<unsigned>(task.amount));
  };
  for (const auto& operation : operations()) {
    if (task.operation != "all" && !recover_only && task.operation != operation.name) continue;
    for (const auto* who : {"all", "daemon", "git"}) units.push_back({&operation, {}, who, offset(units.size())});
  }
  if (units.empty()) throw std::runtime_error("there is no operation " + task.operation);
  sweep_units(units, task, swept);

  std::vector<Unit> recoveries;
  for (const auto& [signature, unit] : swept.to_recover) {
    for (const auto* who : {"all", "daemon", "git"}) {
      recoveries.push_back(unit);
      recoveries.back().who = who;
      recoveries.back().from = offset(recoveries.size());
    }
  }
  sweep_units(recoveries, task, swept);

  Report report;
  const std::string share = task.amount == 1 ? "each point" : "one point of " + std::to_string(task.amount);
  report.figures = swept.figures() + ", " + (swept.whole ? share : share + ", not to the end");
  report.violations = swept.violations;
  return report;
}

}  // namespace wtpool::test
