// Reports of daemons with few slots and with many.
#include <algorithm>

#include "tests/bench/scenes.hpp"

namespace wtpool::bench {
namespace {

class Reports {
 public:
  explicit Reports(const Plan& plan) : plan_(plan), random_(plan.seed) {
    const fs::path repo = plan.where / "tiny";
    test::Repo::make(repo);
    for (const int slots : {1, 16, 256}) {
      Ground& ground = *hosts_.emplace_back(slots, std::make_unique<Ground>(repo, plan.where / std::to_string(slots))).second;
      ground.make_pool("tiny", slots);
      for (int i = 0; i < slots; ++i) ground.run("tiny", {"acquire", name(i)});
      for (int i = 1; i < slots; ++i) ground.run("tiny", {"release", name(i)});
      if (!test::wait_until([&] { return settled(ground); }, std::chrono::minutes(2))) give_up("the tiny slots did not settle");
    }
  }

  void measure(Run& run) {
    run.rounds(plan_.rounds * kEach, [&](int) {
      std::shuffle(hosts_.begin(), hosts_.end(), random_);
      for (const auto& [slots, ground] : hosts_) {
        const std::string tail = "-" + std::to_string(slots);
        run.add("path" + tail, kOurs, ground->run("tiny", {"path", name(0)}));
        run.add("ls" + tail, kOurs, ground->run("tiny", {"--json", "ls"}));
        run.add("ls" + tail, kGit,
                timed({"git", "-C", ground->source().string(), "worktree", "list", "--porcelain"}, ground->environment()));
      }
      run.add("nothing", "a process", timed({WTPOOL_BENCH_NOTHING}, hosts_.front().second->environment()));
    });
  }

 private:
  static constexpr int kEach = 10;  // they are short
  static std::string name(int number) { return "name-" + std::to_string(number); }
  static bool settled(const Ground& ground) {
    for (const auto& slot : ground.report("tiny", {"ls"})) {
      if (slot.at("state") != "idle" && slot.at("name") != name(0)) return false;
    }
    return true;
  }

  const Plan& plan_;
  std::mt19937_64 random_;
  std::vector<std::pair<int, std::unique_ptr<Ground>>> hosts_;
};

}  // namespace

void measure_reports(const Plan& plan, Results& results) {
  if (!plan.wants("tiny", kReports)) return;
  Run run(plan, "tiny", kReports);
  run.say("making slots");
  Reports(plan).measure(run);
  run.end(results);
}

}  // namespace wtpool::bench
