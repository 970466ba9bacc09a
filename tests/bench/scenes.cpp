#include "tests/bench/scenes.hpp"

#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <sstream>

#include "tests/bench/steps.hpp"

namespace wtpool::bench {
namespace {

class Scenes {
 public:
  Scenes(const Size& size, const Plan& plan, Results& results)
      : size_(size),
        plan_(plan),
        results_(results),
        random_(plan.seed),
        ground_(size.fixture, plan.where / size.name),
        peer_(ground_),
        most_(*std::max_element(size.at_once.begin(), size.at_once.end())) {
    // one slot less: that of the pool `one` is served by the same daemon
    pool_slots_ = std::max(most_, size_.slots - 1);
    ground_.make_pool("one", 1);
    ground_.make_pool("many", pool_slots_);
  }

  void run() {
    for (const std::string scene : kScenes) {
      if (!plan_.wants(size_.name, scene)) continue;
      Run run(plan_, size_.name, scene);
      run_ = &run;
      if (scene == "fresh") fresh();
      if (scene == "warm") warm();
      if (scene == "hand-over") hand_over();
      if (scene == "clients") clients();
      if (scene == "idle") idle();
      if (scene == "steps") steps();
      run.end(results_);
    }
  }

 private:
  void add(const std::string& what, const char* who, double sample) { run_->add(what, who, sample); }

  void in_any_order(std::vector<std::function<void()>> turns) {
    std::shuffle(turns.begin(), turns.end(), random_);
    for (const auto& turn : turns) turn();
  }

  // ---- slots: made once, before anything is measured in them, and only as many as are wanted
  void want_one() {
    if (!one_.empty()) return;
    ground_.run("one", {"acquire", "first"});
    one_ = ground_.report("one", {"inspect", "first"}).at("path").get<std::string>();
    ground_.run("one", {"release", "first"});
    settle("one");
  }

  void want_ours(int count) {
    if (ours_ < count) run_->say("making " + std::to_string(count - ours_) + " slots");
    const int before = ours_;
    // Those that are there are taken first.
    for (int i = 0; i < count && before < count; ++i) ground_.run("many", {"acquire", "first" + std::to_string(i)});
    for (int i = 0; i < count && before < count; ++i) ground_.run("many", {"release", "first" + std::to_string(i)});
    ours_ = std::max(ours_, count);
    settle("many");
  }

  void want_theirs(int count) {
    if (theirs_ < count) run_->say("making " + std::to_string(count - theirs_) + " worktrees for the reference tool");
    for (; theirs_ < count; ++theirs_) ground_.add_worktree(peer_.slot(theirs_));
  }

  void settle(const std::string& pool) {
    if (!ground_.settle(pool)) run_->say("a slot was not sealed in time; it is measured as it is");
  }

  // ---- scenes
  // Every slot there is, ours and theirs in turn; the others' are bare git's first touch as well.
  void fresh() {
    for (int i = ours_; i < most_; ++i) {
      in_any_order({[&] {
                      add("first-touch", kOurs, ground_.run("many", {"acquire", "fresh" + std::to_string(i)}));
                    },
                    [&] { add("first-touch", kGit, ground_.add_worktree(peer_.slot(i))); }});
      run_->say("slot " + std::to_string(i + 1) + " of " + std::to_string(most_));
    }
    for (int i = ours_; i < most_; ++i) ground_.run("many", {"release", "fresh" + std::to_string(i)});
    ours_ = theirs_ = most_;
    settle("many");
  }

  // `sealed`: in how many of the acquires the slot had its seal, and kept it until it was taken: git was not asked.
  void ours_once(const std::string& what, const std::string& name, const std::string& commit) {
    const bool sealed = !ground_.sealed("one").empty();
    const long gits = ground_.gits_ended();
    const double took = ground_.run("one", {"acquire", name, "--commit", commit});
    const bool without_git = ground_.gits_ended() == gits;
    add(what, kOurs, took);
    add(what + "-sealed", kOurs, sealed && without_git ? 1 : 0);
    add("release", kOurs, ground_.run("one", {"release", name}));
    settle("one");
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

  void warm() {
    want_one();
    want_theirs(1);
    if (!git_) git_.emplace(ground_);
    run_->rounds(plan_.rounds, [this](int round) { warm_round(round); });
  }

  // There and back again, so that each commit is as far away as it says.
  void warm_round(int round) {
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

  void hand_over() {
    want_one();
    run_->rounds(plan_.rounds, [this](int round) {
      in_any_order({[&] { hand_over_round(round); }, [&] { add("status", kGit, git_status()); }});
    });
  }

  [[nodiscard]] double git_status() const {
    return timed({"git", "-C", one_.string(), "status", "--porcelain"}, ground_.environment());
  }

  // From the start of `release` to the first instruction of the waiting client's command.
  void hand_over_round(int round) {
    const std::string held = "held-" + std::to_string(round);
    ground_.run("one", {"acquire", held});
    const fs::path stamp = ground_.where() / "stamp";
    const auto waiter = Ground::ours("one", {"run", "next-" + std::to_string(round), "--wait=60s", "--", "/bin/date", "+%s%N"});
    const pid_t pid = start(waiter, ground_.environment(), stamp.string());
    ground_.wait_for_queue(1);
    struct timespec begin = {};
    ::clock_gettime(CLOCK_REALTIME, &begin);
    ground_.run("one", {"release", held});
    int status = -1;
    if (::waitpid(pid, &status, 0) != pid || status != 0) give_up("the waiting command failed");
    const long long ns = std::stoll(test::read_text(stamp)) - (begin.tv_sec * 1'000'000'000LL + begin.tv_nsec);
    add("hand-over", kOurs, static_cast<double>(ns) / 1e6);
    settle("one");
  }

  void clients() {
    want_ours(most_);
    want_theirs(most_);
    run_->rounds(plan_.rounds, [this](int round) { clients_round(round); });
  }

  void clients_round(int round) {
    std::vector<std::function<void()>> turns;
    for (const int n : size_.at_once) {
      turns.emplace_back([this, n, round] { ours_at_once(n, "o" + std::to_string(round) + "-"); });
      turns.emplace_back([this, n, round] {
        const auto took = peer_.acquire_at_once(n, "p" + std::to_string(round) + "-", ground_.commit(0));
        add("at-once-" + std::to_string(n), kScript, took.all_ms);
      });
    }
    const auto use = peer_.use("q" + std::to_string(round), ground_.commit(0));
    add("at-once", kShell, use.acquire.script);
    in_any_order(std::move(turns));
  }

  void ours_at_once(int n, const std::string& prefix) {
    const std::string what = "at-once-" + std::to_string(n);
    std::vector<Argv> commands;
    for (int i = 0; i < n; ++i) commands.push_back(Ground::ours("many", {"acquire", prefix + std::to_string(i)}));
    const auto sealed = ground_.sealed("many");
    const long gits = ground_.gits_ended();
    const auto took = timed_at_once(commands, ground_.environment());
    add(what, kOurs, took.all_ms);
    for (const double each : took.each_ms) add(what + "-each", kOurs, each);
    if (ground_.gits_ended() > gits) add(what + "-with-git", kOurs, 1);
    const auto held = ground_.held("many");
    add(what + "-sealed", kOurs,
        static_cast<double>(std::count_if(held.begin(), held.end(), [&](const auto& slot) { return sealed.contains(slot); })));
    for (int i = 0; i < n; ++i) ground_.run("many", {"release", prefix + std::to_string(i)});
    settle("many");
  }

  void idle() {
    want_one();
    want_ours(pool_slots_);
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
    run_->say("idle for " + std::to_string(plan_.idle.count()) + " s with " + std::to_string(sealed) + " of " +
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
  void steps() {
    want_one();
    ground_.restart_with_log();
    settle("one");
    run_->rounds(plan_.rounds, [this](int round) { steps_round(round); });
  }

  void steps_round(int round) {
    const std::string name = "step-" + std::to_string(round);
    const std::size_t begin = ground_.log_so_far().size();
    const double acquire = ground_.run("one", {"acquire", name});
    const std::string acquired = ground_.log_so_far().substr(begin);
    const double release = ground_.run("one", {"release", name});
    settle("one");
    const std::string rest = ground_.log_so_far().substr(begin + acquired.size());
    const std::size_t answered = std::min(rest.find('\n', rest.find("job release took")), rest.size());
    add_steps("acquire", acquired, acquire);
    add_steps("release", rest.substr(0, answered), release);
    add_steps("recycle", rest.substr(answered), 0);

    const std::size_t before = ground_.log_so_far().size();
    const double moved = ground_.run("one", {"acquire", name, "--commit", ground_.commit(1)});
    add_steps("acquire-1", ground_.log_so_far().substr(before), moved);
    ground_.run("one", {"release", name});
    ground_.run("one", {"acquire", name});
    ground_.run("one", {"release", name});
    settle("one");
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
  Results& results_;
  Run* run_ = nullptr;  // of the scene that is played
  std::mt19937_64 random_;
  Ground ground_;
  Peer peer_;
  std::optional<BareGit> git_;
  int most_ = 1;
  int pool_slots_ = 1;
  int ours_ = 0;    // slots of the pool `many` that were made
  int theirs_ = 0;  // slots of the reference tool
  fs::path one_;    // the slot of the pool `one`
};

}  // namespace

void measure(const Size& size, const Plan& plan, Results& results) {
  const auto wanted = [&](const char* scene) { return plan.wants(size.name, scene); };
  if (std::any_of(std::begin(kScenes), std::end(kScenes), wanted)) Scenes(size, plan, results).run();
}

}  // namespace wtpool::bench
