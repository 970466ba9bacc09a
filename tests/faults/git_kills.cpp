#include "tests/faults/git_kills.hpp"

#include <signal.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "tests/faults/git_shim.hpp"
#include "tests/faults/stage.hpp"

namespace wtpool::test {
namespace {

class GitKills {
 public:
  explicit GitKills(const Task& task) : task_(task), random_(task.seed), shim_((stage_.world.stop_daemon(), stage_.world)) {
    stage_.world.start_daemon();
    stage_.repo.commit("src/main.c", "int main(void) { return 1; }\n");
    stage_.settle();
    commits_ = {stage_.repo.git({"rev-parse", "HEAD"}), stage_.repo.git({"rev-parse", "HEAD~1"})};
  }

  Report run() {
    int turns = 0;
    for (; static_cast<int>(shim_.killed()) < task_.amount && report_.violations.empty() && turns < 20 * task_.amount;
         ++turns) {
      turn("t" + std::to_string(turns));
      if (turns % 10 == 9) note(violations(stage_.observed()));
    }
    note(violations_over_restart(stage_.world, stage_.observed()));
    const auto bare = bare_git_kills(task_.seed, task_.amount);
    report_.figures = std::to_string(shim_.killed()) + " gits killed in " + std::to_string(turns) +
                      " acquires and releases, the source usable after each but " + std::to_string(unusable_) + " (" +
                      std::to_string(report_.violations.size()) + " violations); bare git: unusable after " +
                      std::to_string(bare.unusable) + " of " + std::to_string(bare.killed) + " killed `worktree add`, and at " +
                      std::to_string(bare.unusable_points) + " of its " + std::to_string(bare.points) + " kill points";
    return std::move(report_);
  }

 private:
  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  void note(const Violations& found) {
    for (const auto& violation : found)
      report_.violations.push_back(violation + " (git " + std::to_string(shim_.killed()) + ")");
  }
  // One of the next gits, after about as long as they take.
  void arm() { shim_.script(std::to_string(1 + below(4)) + " kill " + std::to_string(below(6000)) + " git-dir\n"); }

  void turn(const std::string& name) {
    if (below(3) == 0) make_fresh();
    const std::vector<std::string> at = {"--commit", commits_[static_cast<std::size_t>(below(2))]};
    const bool in_release = below(2) == 0;
    if (!in_release) arm();
    const auto before = shim_.killed();
    done("acquire", [&] { return stage_.acquire(name, at); });
    if (below(2) == 0) stage_.write(name, "README.md");
    if (below(2) == 0) stage_.stage(name, "staged.txt");
    if (below(3) == 0) stage_.commit(name, "committed.txt");
    if (in_release) arm();
    done("release", [&] { return stage_.release(name); });
    if (shim_.killed() == before) return;
    const auto found = unusable_source(stage_.repo);
    if (!found.empty()) ++unusable_;
    note(found);
  }

  // The daemon's next git call heals what the last one left: asked again, it is done.
  template <class Act>
  void done(const char* what, Act act) {
    int code = -1;
    for (int tries = 0; tries < 3 && code != 0; ++tries) {
      code = act();
      if (code != 0) shim_.script("");
    }
    if (code != 0) note({std::string("3: ") + what + " ends with " + std::to_string(code) + " though git is whole again"});
  }

  void make_fresh() {
    shim_.script("");
    (void)stage_.ask({"remove", "slot-0"});
  }

  const Task task_;
  std::minstd_rand random_;
  Stage stage_;
  GitShim shim_;
  std::vector<std::string> commits_;
  Report report_;
  int unusable_ = 0;
};

bool usable(const Repo& repo) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{"worktree", "list"},
                                                                     {"branch", "--list"},
                                                                     {"status", "--porcelain"},
                                                                     {"fsck", "--connectivity-only", "--no-progress"}}) {
    if (repo.try_git(arguments).code != 0) return false;
  }
  return true;
}

// What a person would do who knows where to look.
void clear_away(const Repo& repo, const fs::path& tree) {
  std::error_code none;
  fs::remove_all(repo.path() / ".git/worktrees", none);
  fs::remove_all(tree, none);
}

Process start_add(const Repo& repo, const fs::path& tree, std::vector<std::string> before = {}) {
  before.insert(before.end(), {"git", "worktree", "add", "-q", "--detach", tree.string(), "HEAD"});
  return Process({.argv = before, .environment = git_environment(), .directory = repo.path()});
}

}  // namespace

Report git_kills(const Task& task) { return GitKills(task).run(); }

BareGit bare_git_kills(unsigned seed, int amount) {
  BareGit bare;
  std::minstd_rand random(seed);
  const TempDir dir;
  const auto repo = Repo::make(dir.path() / "app");
  const auto tree = dir.path() / "tree";
  while (bare.killed < amount) {
    auto add = start_add(repo, tree);
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 6000));
    add.signal(SIGKILL);
    if (add.wait().code == 128 + SIGKILL) {
      ++bare.killed;
      if (!usable(repo)) ++bare.unusable;
    }
    clear_away(repo, tree);
  }
  if (::access("/usr/bin/strace", X_OK) != 0) return bare;
  for (int when = 1;; ++when) {
    auto add = start_add(repo, tree,
                         {"strace", "-qq", "-o", "/dev/null", "-e", "trace=write", "-e",
                          "inject=write:signal=KILL:when=" + std::to_string(when)});
    const bool killed = add.wait().code == 128 + SIGKILL;
    if (killed) {
      ++bare.points;
      if (!usable(repo)) ++bare.unusable_points;
    }
    clear_away(repo, tree);
    if (!killed) return bare;
  }
}

}  // namespace wtpool::test
