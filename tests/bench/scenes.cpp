#include "tests/bench/scenes.hpp"

#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <sstream>

#include "tests/bench/steps.hpp"

namespace wtpool::bench {
namespace {

constexpr const char* kOurs = "wtpool";
constexpr const char* kPeer = "reference tool";
constexpr const char* kScript = "reference script";  // with its shell
constexpr const char* kShell = "its shell";
constexpr const char* kGit = "git";

void say(const std::string& what) { std::cerr << "bench: " << what << std::endl; }

class Scenes {
 public:
  Scenes(const Size& size, const Plan& plan, Figures& figures)
      : size_(size),
        plan_(plan),
        figures_(figures),
        random_(plan.seed),
        ground_(size.fixture, plan.where / size.name),
        peer_(ground_) {}

  void run() {
    most_ = *std::max_element(size_.at_once.begin(), size_.at_once.end());
    // one slot less: that of the pool `one` is served by the same daemon
    pool_slots_ = std::max(most_, size_.slots - 1);
    ground_.make_pool("one", 1);
    ground_.make_pool("many", pool_slots_);
    git_.emplace(ground_);
    fresh();
    if (plan_.wants("warm")) rounds("warm", [this](int round) { warm(round); });
    if (plan_.wants("hand-over")) rounds("hand-over", [this](int round) { hand_over(round); });
    if (plan_.wants("clients")) rounds("clients", [this](int round) { clients(round); });
    if (plan_.wants("idle")) idle();
    if (plan_.wants("steps")) {
      ground_.restart_with_log();
      ground_.settle("one");
      rounds("steps", [this](int round) { steps(round); });
    }
    without_shell();
  }

 private:
  void add(const std::string& what, const char* who, double sample) { figures_.add({size_.name, what, who}, sample); }

  void rounds(const std::string& scene, const std::function<void(int)>& round) {
    say(size_.name + ": " + scene + ", " + std::to_string(plan_.rounds) + " rounds");
    for (int i = 0; i < plan_.rounds; ++i) round(i);
  }

  void in_any_order(std::vector<std::function<void()>> turns) {
    std::shuffle(turns.begin(), turns.end(), random_);
    for (const auto& turn : turns) turn();
  }

  // Every slot there is, ours and theirs in turn; the others' are bare git's first touch as well.
  void fresh() {
    const bool whole = plan_.wants("clients") || plan_.wants("fresh");
    const int theirs = whole ? most_ : 1;
    const int ours = plan_.wants("idle") ? pool_slots_ : whole ? most_ : 0;
    say(size_.name + ": making " + std::to_string(ours + theirs + 2) + " worktrees");
    for (int i = 0; i < std::max(ours, theirs); ++i) {
      in_any_order({[&] {
                      if (i >= ours) return;
                      const double took = ground_.run("many", {"acquire", "fresh" + std::to_string(i)});
                      if (i < theirs) add("first-touch", kOurs, took);
                    },
                    [&] {
                      if (i >= theirs) return;
                      const double took = ground_.add_worktree(peer_.slot(i));
                      if (i < ours) add("first-touch", kGit, took);
                    }});
    }
    for (int i = 0; i < ours; ++i) ground_.run("many", {"release", "fresh" + std::to_string(i)});
    ground_.settle("many");
    ground_.run("one", {"acquire", "fresh"});
    one_ = ground_.report("one", {"inspect", "fresh"}).at("path").get<std::string>();
    ground_.run("one", {"release", "fresh"});
    ground_.settle("one");
    say(size_.name + (ground_.seals() ? ": slots are sealed" : ": slots are not sealed"));
  }

  void ours_once(const std::string& what, const std::string& name, const std::string& commit) {
    add(what, kOurs, ground_.run("one", {"acquire", name, "--commit", commit}));
    add("release", kOurs, ground_.run("one", {"release", name}));
    ground_.settle("one");
  }

  void peer_once(const std::string& what, const std::string& name, const std::string& commit) {
    const auto use = peer_.use(name, commit);
    add(what, kScript, use.acquire.whole);
    add("release", kScript, use.release.whole);
    add("acquire", kShell, use.acquire.script);
    add("release", kShell, use.release.script);
  }

  void git_once(const std::string& what, const std::string& name, const std::string& commit) {
    add(what, kGit, git_->acquire(name, commit));
    add("release", kGit, git_->release(name));
  }

  // There and back again, so that each commit is as far away as it says.
  void warm(int round) {
    for (const int away : {0, 1, 100}) {
      const std::string what = "acquire-" + std::to_string(away);
      const std::string name = std::to_string(round) + "-" + std::to_string(away);
      std::vector<std::string> commits = {ground_.commit(away)};
      if (away != 0) commits.push_back(ground_.commit(0));
      for (std::size_t leg = 0; leg < commits.size(); ++leg) {
        const std::string tail = name + "-" + std::to_string(leg);
        in_any_order({[&] { ours_once(what, "ours-" + tail, commits[leg]); },
                      [&] { peer_once(what, "peer-" + tail, commits[leg]); },
                      [&] { git_once(what, "git-" + tail, commits[leg]); }});
      }
    }
    if (!ground_.seals() || !ground_.unseal("one", one_)) return;
    ours_once("acquire-0-unsealed", "unsealed-" + std::to_string(round), ground_.commit(0));
  }

  void without_shell() {
    const Key acquire = {size_.name, "acquire", kShell};
    const auto net = [this](const std::string& what, const Key& shell, int times) {
      figures_.subtract({size_.name, what, kPeer}, {size_.name, what, kScript}, shell, times);
    };
    for (const std::string away : {"0", "1", "100"}) net("acquire-" + away, acquire, 1);
    net("release", {size_.name, "release", kShell}, 1);
    // What each shell costs while it has the lock; more than all of that it cannot have made the last one wait.
    for (const int n : size_.at_once) net("at-once-" + std::to_string(n), acquire, n);
  }

  // From the start of `release` to the first instruction of the waiting client's command.
  void hand_over(int round) {
    const std::string held = "held-" + std::to_string(round);
    in_any_order({[&] {
                    ground_.run("one", {"acquire", held});
                    const fs::path stamp = ground_.where() / "stamp";
                    const auto waiter =
                        Ground::ours("one", {"run", "next-" + std::to_string(round), "--wait=60s", "--", "/bin/date", "+%s%N"});
                    const pid_t pid = start(waiter, ground_.environment(), stamp.string());
                    ground_.wait_for_queue(1);
                    struct timespec begin = {};
                    ::clock_gettime(CLOCK_REALTIME, &begin);
                    ground_.run("one", {"release", held});
                    int status = -1;
                    if (::waitpid(pid, &status, 0) != pid || status != 0) give_up("the waiting command failed");
                    const long long ns = std::stoll(test::read_text(stamp)) - (begin.tv_sec * 1'000'000'000LL + begin.tv_nsec);
                    add("hand-over", kOurs, static_cast<double>(ns) / 1e6);
                    ground_.settle("one");
                  },
                  [&] { add("status", kGit, git_->status(one_)); }});
  }

  void clients(int round) {
    std::vector<std::function<void()>> turns;
    for (const int n : size_.at_once) {
      turns.emplace_back([this, n, round] { ours_at_once(n, "o" + std::to_string(round) + "-"); });
      turns.emplace_back([this, n, round] {
        const auto took = peer_.acquire_at_once(n, "p" + std::to_string(round) + "-", ground_.commit(0));
        add("at-once-" + std::to_string(n), kScript, took.all_ms);
      });
    }
    const auto use = peer_.use("q" + std::to_string(round), ground_.commit(0));
    add("acquire", kShell, use.acquire.script);
    in_any_order(std::move(turns));
  }

  void ours_at_once(int n, const std::string& prefix) {
    std::vector<Argv> commands;
    for (int i = 0; i < n; ++i) commands.push_back(Ground::ours("many", {"acquire", prefix + std::to_string(i)}));
    const auto took = timed_at_once(commands, ground_.environment());
    add("at-once-" + std::to_string(n), kOurs, took.all_ms);
    for (const double each : took.each_ms) add("at-once-" + std::to_string(n) + "-each", kOurs, each);
    for (int i = 0; i < n; ++i) ground_.run("many", {"release", prefix + std::to_string(i)});
    ground_.settle("many");
  }

  void idle() {
    ground_.settle("many");
    ground_.settle("one");
    int sealed = 0;
    int made = 0;
    for (const std::string pool : {"one", "many"}) {
      for (const auto& slot : ground_.report(pool, {"ls"})) {
        made += slot.at("state") == "idle" ? 1 : 0;
        sealed += slot.at("sealed") == true ? 1 : 0;
      }
    }
    add("idle-slots", kOurs, made);
    add("idle-sealed", kOurs, sealed);
    say(size_.name + ": idle for " + std::to_string(plan_.idle.count()) + " s with " + std::to_string(sealed) + " of " +
        std::to_string(made) + " slots sealed");
    clockid_t clock = 0;
    if (::clock_getcpuclockid(ground_.daemon(), &clock) != 0) give_up("the daemon has no clock");
    const auto used = [clock] {
      struct timespec now = {};
      ::clock_gettime(clock, &now);
      return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
    };
    const double before = used();
    struct timespec pause = {plan_.idle.count(), 0};
    ::nanosleep(&pause, nullptr);  // the time is what is measured
    add("idle-cpu-ms", kOurs, (used() - before) * 60 / static_cast<double>(plan_.idle.count()));
    const std::string process = "/proc/" + std::to_string(ground_.daemon());
    add("idle-rss-mb", kOurs, megabytes(process, "Rss:"));
    add("idle-pss-mb", kOurs, megabytes(process, "Pss:"));
    double helpers = 0;
    for (const auto& thread : fs::directory_iterator(process + "/task")) {
      std::istringstream children(test::read_text(thread.path() / "children"));
      for (std::string child; children >> child;) helpers += megabytes("/proc/" + child, "Pss:");
    }
    add("idle-helpers-pss-mb", kGit, helpers);
  }

  // Of an acquire, a release and the recycling after it, what each is made of.
  void steps(int round) {
    const std::string name = "step-" + std::to_string(round);
    const std::size_t begin = ground_.log_so_far().size();
    const double acquire = ground_.run("one", {"acquire", name});
    const std::string acquired = ground_.log_so_far().substr(begin);
    const double release = ground_.run("one", {"release", name});
    ground_.settle("one");
    const std::string rest = ground_.log_so_far().substr(begin + acquired.size());
    const std::size_t answered = std::min(rest.find('\n', rest.find("job release took")), rest.size());
    add_steps("acquire", acquired, acquire);
    add_steps("release", rest.substr(0, answered), release);
    add_steps("recycle", rest.substr(answered), 0);
  }

  void add_steps(const std::string& of, const std::string& log, double whole) {
    const auto steps = steps_in(log);
    for (const auto& [step, ms] : steps) add("steps-" + of, step.c_str(), ms);
    if (whole > 0) add("steps-" + of, "client, socket, loop", whole - sum_of(steps));
  }

  // A line of smaps_rollup, which is in KiB; megabytes are of 1000000 bytes.
  static double megabytes(const std::string& process, const std::string& field) {
    std::istringstream lines(test::read_text(process + "/smaps_rollup"));
    for (std::string word; lines >> word;) {
      double kib = 0;
      if (word == field && lines >> kib) return kib * 1024 / 1e6;
    }
    return 0;
  }

  const Size& size_;
  const Plan& plan_;
  Figures& figures_;
  std::mt19937_64 random_;
  Ground ground_;
  Peer peer_;
  std::optional<BareGit> git_;
  int most_ = 1;
  int pool_slots_ = 1;
  fs::path one_;
};

class Reports {
 public:
  Reports(const Plan& plan, Figures& figures) : plan_(plan), figures_(figures), random_(plan.seed) {
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

  void run() {
    say("tiny: reports, " + std::to_string(plan_.rounds * kEach) + " rounds");
    for (int round = 0; round < plan_.rounds * kEach; ++round) {
      std::shuffle(hosts_.begin(), hosts_.end(), random_);
      for (const auto& [slots, ground] : hosts_) {
        const std::string tail = "-" + std::to_string(slots);
        figures_.add({"tiny", "path" + tail, kOurs}, ground->run("tiny", {"path", name(0)}));
        figures_.add({"tiny", "ls" + tail, kOurs}, ground->run("tiny", {"--json", "ls"}));
        figures_.add({"tiny", "ls" + tail, kGit},
                     timed({"git", "-C", ground->source().string(), "worktree", "list", "--porcelain"}, ground->environment()));
      }
      figures_.add({"tiny", "nothing", "a process"}, timed({WTPOOL_BENCH_NOTHING}, hosts_.front().second->environment()));
    }
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
  Figures& figures_;
  std::mt19937_64 random_;
  std::vector<std::pair<int, std::unique_ptr<Ground>>> hosts_;
};

}  // namespace

void measure(const Size& size, const Plan& plan, Figures& figures) { Scenes(size, plan, figures).run(); }

void measure_reports(const Plan& plan, Figures& figures) {
  if (plan.wants("reports")) Reports(plan, figures).run();
}

}  // namespace wtpool::bench
