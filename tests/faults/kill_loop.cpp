#include "tests/faults/kill_loop.hpp"

#include <signal.h>

#include <chrono>
#include <random>
#include <thread>

#include "tests/faults/crew.hpp"

namespace wtpool::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSlots = 12;
constexpr int kLookAtAll = 50;  // kills between two looks at everything

class KillLoop {
 public:
  explicit KillLoop(const Task& task)
      : task_(task), random_(task.seed), crew_(world_, ledger_, make_commits(repo_), task.seed) {
    before_ = Before::of(repo_);
  }

  Report run() {
    world_.start_daemon();
    world_.init(repo_, {"--max-slots", std::to_string(kSlots)});
    crew_.start(task_.clients);
    const auto began = Clock::now();
    for (int kill = 1; kill <= task_.amount && report_.violations.empty(); ++kill) {
      cycle(kill);
      if (kill % kLookAtAll == 0) look_at_all(kill);
    }
    const auto lasted = std::chrono::duration<double>(Clock::now() - began).count();
    crew_.stop();
    note(crew_.broken(), task_.amount);
    note(violations_over_restart(world_, observed_), task_.amount);
    repo_.git({"gc", "-q", "--prune=now"});
    note(lost_commits(observed_), task_.amount);
    char text[200];
    std::snprintf(text, sizeof text, "%d kills of the daemon (%d of them while it started), %d clients, %.2f s a cycle; ",
                  kills_, early_, task_.clients, lasted / task_.amount);
    report_.figures = text + crew_.told() + "; " + std::to_string(report_.violations.size()) + " violations";
    return std::move(report_);
  }

 private:
  static std::vector<std::string> make_commits(const Repo& repo) {
    std::vector<std::string> commits = {repo.head()};
    for (int number = 1; number < 5; ++number) {
      commits.push_back(repo.commit("src/file" + std::to_string(number) + ".c", "int f" + std::to_string(number) + ";\n"));
    }
    return commits;
  }
  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  void sleep(int most_ms) { std::this_thread::sleep_for(std::chrono::milliseconds(below(most_ms))); }

  void note(const Violations& found, int kill) {
    for (const auto& violation : found) report_.violations.push_back(violation + " (kill " + std::to_string(kill) + ")");
  }

  void cycle(int kill) {
    sleep(below(4) == 0 ? 50 : 500);
    world_.kill_daemon();
    ++kills_;
    note(violations_on_disk(observed_, ledger_.stories()), kill);
    if (below(8) == 0) {
      auto early = world_.start_wtpoold();
      sleep(40);
      early.signal(SIGKILL);
      (void)early.wait();
      ++kills_;
      ++early_;
    }
    world_.start_daemon();
    const auto told = ledger_.stories();
    note(violations_in_daemon(observed_, told), kill);
    note(crew_.broken(), kill);
    usable_soon(kill);
    if (kill % 10 == 0) note(lost_commits(observed_), kill);
  }

  // What the last git left torn is healed before the daemon's next one.
  void usable_soon(int kill) {
    for (const auto& arguments : std::vector<std::vector<std::string>>{{"worktree", "list"}, {"branch", "--list"}}) {
      Outcome outcome;
      if (!wait_until([&] { return (outcome = repo_.try_git(arguments)).code == 0; }, std::chrono::seconds(5)))
        note({"7: git " + arguments[0] + ": " + outcome.err}, kill);
    }
  }

  void look_at_all(int kill) {
    const auto paused = crew_.pause();
    note(violations(observed_), kill);
    repo_.git({"pack-refs", "--all"});  // as a person may, and so that the trash of a thousand cycles is read in no time
  }

  const Task task_;
  std::minstd_rand random_;
  World world_;
  Repo repo_ = world_.make_repo();
  Ledger ledger_;
  Crew crew_;
  Before before_;
  const Observed observed_{world_, repo_, before_, ledger_};
  Report report_;
  int kills_ = 0, early_ = 0;
};

}  // namespace

Report kill_loop(const Task& task) { return KillLoop(task).run(); }

}  // namespace wtpool::test
