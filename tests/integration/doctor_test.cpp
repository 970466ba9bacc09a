// `doctor` and `doctor --repair`, with a daemon and without: what each finds in a pool, what it puts right, what it leaves.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Doctor : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo);
  }
  [[nodiscard]] static bool with_daemon() { return GetParam(); }
  // What is planted next is found by a running daemon, or by nobody before the doctor.
  void begin() {
    if (!with_daemon()) world.stop_daemon();
  }
  [[nodiscard]] Outcome doctor() const { return world.wtpool({"doctor"}); }
  Outcome repair() const {
    const auto outcome = world.wtpool({"doctor", "--repair"});
    EXPECT_NE(outcome.err.find("plan: "), std::string::npos) << outcome;
    return outcome;
  }
  // Found, with these words; put right; and then there is nothing left to do.
  void expect_repaired(const std::string& words) const {
    const auto before = snapshot();
    // A lock of an idle slot is not reported while the daemon's own work there has the slot, which may be at any moment.
    Outcome found;
    EXPECT_TRUE(wait_until([&] { return (found = doctor()).code == 1; })) << found;
    EXPECT_NE(found.out.find(words), std::string::npos) << found;
    EXPECT_EQ(snapshot(), before) << "looking changes nothing";
    Outcome repaired;
    EXPECT_TRUE(wait_until([&] { return (repaired = repair()).err.find(words) != std::string::npos; }))
        << "the plan says so first: " << repaired;
    EXPECT_EQ(repaired.code, 0) << repaired;
    EXPECT_EQ(repo.complaint(), "");
    expect_nothing_to_do();
  }
  void expect_nothing_to_do() const {
    const auto before = snapshot();
    const auto again = repair();
    EXPECT_NE(again.err.find("there is nothing to repair"), std::string::npos) << again;
    EXPECT_EQ(again.out.find("repair  "), std::string::npos) << again;
    EXPECT_EQ(snapshot(), before);
  }
  void expect_left(const std::string& words, const std::string& hint) const {
    const auto repaired = repair();
    EXPECT_NE(repaired.out.find(words), std::string::npos) << repaired;
    EXPECT_NE(repaired.out.find("hint: " + hint), std::string::npos) << repaired;
  }
  // Names below the source's git directory and the pool, locks of ours aside. A daemon looks after its slots at any time, and
  // records what it judges.
  [[nodiscard]] std::string snapshot() const {
    std::vector<std::string> names;
    for (const auto& top : {repo.path() / ".git/worktrees", repo.path() / ".git/wtpool", world.root() / "app"}) {
      if (!fs::exists(top)) continue;
      for (const auto& each : fs::recursive_directory_iterator(top)) {
        const auto name = each.path().string();
        const bool judged = with_daemon() && name.find("/.meta/quarantine") != std::string::npos;
        if (!judged && !name.ends_with("slot-0.lock") && !name.ends_with("slot-1.lock")) names.push_back(name);
      }
    }
    std::sort(names.begin(), names.end());
    std::string text;
    for (const auto& name : names) text += name + "\n";
    return text;
  }
  // `git worktree add` killed at its `write`s, one after the other, until the source is torn.
  bool tear(const fs::path& worktree) const {
    for (int write = 1; write < 12; ++write) {
      (void)run({{"strace", "-f", "-o", "/dev/null", "-e", "trace=write", "-e",
                  "inject=write:signal=KILL:when=" + std::to_string(write), "git", "worktree", "add", "--detach",
                  "--no-checkout", worktree.string()},
                 git_environment(),
                 repo.path()});
      if (!repo.complaint().empty()) return true;
      fs::remove_all(repo.path() / ".git/worktrees" / worktree.filename());
      fs::remove_all(worktree);
    }
    return false;
  }
  [[nodiscard]] std::string state_of(const std::string& slot) {
    if (!world.answers()) world.start_daemon();
    return world.state_of(slot);
  }
  // As a daemon that died at that moment leaves the marker.
  static void set_state(const fs::path& slot, const std::string& state) {
    auto marker = read_text(marker_of(slot));
    marker.replace(marker.find("state: held"), 11, "state: " + state);
    write_text(marker_of(slot), marker);
  }
  void make_old(const fs::path& file) const {
    const struct timespec times[2] = {{0, UTIME_OMIT}, {::time(nullptr) - 60, 0}};
    ::utimensat(AT_FDCWD, file.c_str(), times, AT_SYMLINK_NOFOLLOW);
  }

  World world;
  Repo repo = world.make_repo();
};

TEST_P(Doctor, MovesAsideWhatAKilledWorktreeAddOfASlotLeft) {
  if (::access("/usr/bin/strace", X_OK) != 0) GTEST_SKIP() << "there is no strace";
  begin();
  ASSERT_TRUE(tear(world.root() / "app/slot-1"));
  expect_repaired("worktree entry slot-1");
  EXPECT_FALSE(fs::exists(repo.path() / ".git/worktrees/slot-1"));
  EXPECT_FALSE(fs::is_empty(repo.path() / ".git/wtpool/aside"));
  EXPECT_EQ(state_of("slot-1"), "fresh");
}

TEST_P(Doctor, LeavesATornEntryOfSomebodyElseAndSaysWhatToDo) {
  if (::access("/usr/bin/strace", X_OK) != 0) GTEST_SKIP() << "there is no strace";
  begin();
  ASSERT_TRUE(tear(world.dir() / "mine"));
  expect_left("worktree entry mine", "mv " + (repo.path() / ".git/worktrees/mine").string());
  EXPECT_TRUE(fs::exists(repo.path() / ".git/worktrees/mine"));
}

TEST_P(Doctor, RemovesLocksOfGitFromIdleSlots) {
  const auto slot = world.acquire("x");
  world.release("x");
  const auto entry = gitdir_of(slot);
  begin();
  const auto plant = [&](const std::string& name, const std::string& text, bool old) {
    write_text(entry / name, text);
    if (old) make_old(entry / name);
  };
  plant("index.lock", "", false);
  plant("HEAD.lock", "", true);
  expect_repaired("index.lock");
  plant("index.lock", "half an index", true);
  expect_repaired("index.lock");
  fs::create_symlink(world.home() / "precious", entry / "index.lock");
  write_text(world.home() / "precious", "precious\n");
  expect_repaired("index.lock");
  EXPECT_EQ(read_text(world.home() / "precious"), "precious\n");
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

TEST_P(Doctor, ReportsLocksInHeldSlotsAndLeavesThem) {
  const auto slot = world.acquire("x");
  begin();
  const auto lock = gitdir_of(slot) / "index.lock";
  write_text(lock, "");
  make_old(lock);
  expect_left(lock.string() + ", which nobody holds; the slot is held", "rm " + lock.string());
  Process holder({{"sh", "-c", "exec 3<" + lock.string() + "; echo open >&2; exec sleep 60"}, world.environment});
  ASSERT_TRUE(wait_until([&] { return !holder.err_so_far().empty(); }));
  EXPECT_NE(doctor().out.find("may be held by process " + std::to_string(holder.pid())), std::string::npos) << doctor();
  (void)repair();
  EXPECT_TRUE(fs::exists(lock));
  EXPECT_EQ(state_of("slot-0"), "held");
}

TEST_P(Doctor, ReportsADamagedIndexInAHeldSlotAndLeavesIt) {
  const auto slot = world.acquire("x");
  begin();
  const auto index = gitdir_of(slot) / "index";
  write_text(index, std::string(64, '\0'));
  expect_left("the index of slot-0, which is held, is damaged: " + index.string(), "rm " + index.string() + " && git -C ");
  EXPECT_EQ(read_text(index), std::string(64, '\0'));
}

TEST_P(Doctor, LeavesSharedLocksThatNoGitOfOursMade) {
  begin();
  for (const auto& lock : {repo.path() / ".git/packed-refs.lock", repo.path() / ".git/refs/heads/x.lock"}) {
    write_text(lock, "");
    EXPECT_EQ(doctor().code, 0) << "a young one is some git's at work";
    make_old(lock);
    expect_left(lock.string(), "rm " + lock.string());
    EXPECT_TRUE(fs::exists(lock));
    fs::remove(lock);
  }
}

TEST_P(Doctor, LocksWorktreesThatAreNot) {
  const auto idle = world.acquire("x");
  world.acquire("y");
  world.release("x");
  begin();
  repo.git({"worktree", "unlock", idle.string()});
  write_text(gitdir_of(world.root() / "app/slot-1") / "locked", "initializing");
  expect_repaired("slot-0 is not locked as a worktree");
  EXPECT_EQ(trimmed(read_text(gitdir_of(idle) / "locked")), "wtpool app");
  EXPECT_EQ(trimmed(read_text(gitdir_of(world.root() / "app/slot-1") / "locked")), "wtpool app");
  EXPECT_EQ(state_of("slot-1"), "held");
}

TEST_P(Doctor, WritesAgainWhatAHeldSlotsEntryLost) {
  const auto slot = world.acquire("x");
  const auto entry = gitdir_of(slot);
  begin();
  // Slots are read back soon after who changed one has gone, and that puts it right as well.
  if (with_daemon()) world.stop_daemon();
  if (with_daemon()) world.start_daemon();
  if (with_daemon()) {
    ASSERT_TRUE(world.wait_for_state("slot-0", "held"));
  }
  const auto whole = [&] { return read_text(entry / "commondir") + read_text(entry / "gitdir"); };
  const auto before = whole();
  for (const std::vector<std::string>& lost : {std::vector<std::string>{"commondir"}, {"gitdir"}, {"gitdir", "commondir"}}) {
    for (const auto& file : lost) write_text(entry / file, file == "gitdir" ? "" : std::string(6, '\0'));
    expect_repaired("worktree entry slot-0 of " + (repo.path() / ".git").string() + " has no " + lost.front());
    EXPECT_EQ(whole(), before);
  }
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  EXPECT_EQ(state_of("slot-0"), "held");
}

TEST_P(Doctor, ReportsWhatIsWrongWithAHeldSlotAndLeavesIt) {
  const auto slot = world.acquire("x");
  const auto entry = gitdir_of(slot);
  const auto gitfile = read_text(slot / ".git");
  const auto head = read_text(entry / "HEAD");
  begin();
  const std::string held = "slot-0 is held by 'x', and ";
  const std::string mend = "git -C " + (repo.path() / ".git").string() + " worktree repair";
  fs::remove(slot / ".git");
  expect_left(held + slot.string() + " has no .git file", mend);
  write_text(slot / ".git", "gitdir: " + (repo.path() / ".git/worktrees/slot-1").string() + "\n");
  expect_left(held, mend);
  write_text(slot / ".git", gitfile);
  for (const char* text : {"", "garbage\n"}) {
    write_text(entry / "HEAD", text);
    EXPECT_NE(doctor().out.find(held + "its HEAD"), std::string::npos) << doctor();
    EXPECT_NE(doctor().out.find("hint: wtpool daemon "), std::string::npos) << doctor();
    EXPECT_EQ(doctor().code, 1);
  }
  write_text(entry / "HEAD", head);
  fs::rename(slot, world.dir() / "elsewhere");
  fs::create_directory_symlink(world.dir() / "elsewhere", slot);
  expect_left(held + slot.string() + " is a symlink", "ls -ld " + slot.string());
  fs::remove(slot);
  fs::rename(world.dir() / "elsewhere", slot);
  EXPECT_EQ(doctor().code, 0) << doctor();
  EXPECT_EQ(state_of("slot-0"), "held");
}

TEST_P(Doctor, SaysThatTheDefaultCommitIsUnknown) {
  begin();
  const auto config = world.root() / "app/.meta/config.yaml";
  auto text = read_text(config);
  text.replace(text.find("refs/heads/main"), 15, "refs/heads/gone");
  write_text(config, text);
  EXPECT_NE(doctor().out.find("its default commit 'refs/heads/gone' is unknown"), std::string::npos) << doctor();
}

TEST_P(Doctor, SaysThatAPoolHasLostItsConfig) {
  world.acquire("x");
  begin();
  fs::remove(world.root() / "app/.meta/config.yaml");
  const auto outcome = doctor();
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.out.find("config.yaml is not there"), std::string::npos) << outcome;
  EXPECT_NE(outcome.out.find("hint: wtpool init --pool app"), std::string::npos) << outcome;
}

TEST_P(Doctor, ForgetsASlotWhoseDirectoryIsGoneAndKeepsWhatWasStaged) {
  const auto slot = world.acquire("x");
  world.release("x");
  begin();
  write_text(slot / "staged.txt", "staged\n");
  git(slot, {"add", "staged.txt"});
  fs::remove_all(slot);
  expect_repaired("slot-0 has no directory any more");
  const auto refs = repo.trash_refs();
  ASSERT_EQ(refs.size(), 1u);
  EXPECT_EQ(repo.git({"cat-file", "blob", refs[0] + ":staged.txt"}), "staged");
  EXPECT_EQ(state_of("slot-0"), "fresh");
  EXPECT_EQ(world.acquire("y"), slot);
}

TEST_P(Doctor, LeavesWhatAPersonHasToLookAt) {
  const auto slot = world.acquire("x");
  const auto ghost = world.acquire("y");
  world.release("y");
  begin();
  write_text(slot / "README.md", "precious\n");
  write_text(marker_of(slot), std::string(50, '\0'));
  fs::remove(ghost / ".git");
  write_text(ghost / "README.md", "work\n");
  const auto outcome = repair();
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.out.find("hint: wtpool repair slot-1 --pool app"), std::string::npos) << outcome;
  EXPECT_EQ(read_text(slot / "README.md"), "precious\n");
  EXPECT_EQ(read_text(ghost / "README.md"), "work\n");
  // A daemon that holds the lease writes its marker again; nobody else can know what it said.
  if (!with_daemon()) {
    EXPECT_EQ(read_text(marker_of(slot)), std::string(50, '\0'));
  }
}

INSTANTIATE_TEST_SUITE_P(OfEachPool, Doctor, ::testing::Bool(),
                         [](const auto& each) { return each.param ? "Served" : "Unserved"; });

// What only a daemon's death leaves, and what the next one would do at its start.
class LonelyDoctor : public Doctor {};

TEST_P(LonelyDoctor, UndoesAHalfMadeAcquireWithItsBranch) {
  const auto slot = world.acquire("x");
  world.stop_daemon();
  set_state(slot, "acquiring");
  expect_repaired("an acquire of 'x' in slot-0 was cut off");
  EXPECT_FALSE(repo.has_branch("x"));
  EXPECT_FALSE(fs::exists(marker_of(slot)));
  EXPECT_EQ(state_of("slot-0"), "idle");
}

TEST_P(LonelyDoctor, FinishesAHalfDoneReleaseAndSavesTheWorkFirst) {
  const auto slot = world.acquire("x");
  write_text(slot / "README.md", "dirt\n");
  world.stop_daemon();
  set_state(slot, "releasing\non_dirty: save");
  expect_repaired("the release of 'x' from slot-0 was cut off");
  const auto refs = repo.trash_refs();
  ASSERT_EQ(refs.size(), 1u);
  EXPECT_EQ(repo.git({"cat-file", "blob", refs[0] + ":README.md"}), "dirt");
  EXPECT_EQ(state_of("slot-0"), "idle");
}

TEST_P(LonelyDoctor, UndoesTheMakingOfASlot) {
  world.stop_daemon();
  const auto slot = world.root() / "app/slot-0";
  const auto intent = world.root() / "app/.meta/init/slot-0.intent";
  write_text(repo.path() / ".git/worktrees/slot-0/commondir", "");
  write_text(repo.path() / ".git/worktrees/slot-0/locked", "initializing");
  write_text(repo.path() / ".git/worktrees/slot-0/gitdir", (slot / ".git").string() + "\n");
  write_text(intent, "started_at: 2026-05-05T03:34:56Z\nfull_sha: " + repo.head() +
                         "\nformat: 2\nstate: acquiring\nname: x\nlease_id: " + std::string(32, 'a') +
                         "\nlease_kind: durable\nbranch_base: " + repo.head() + "\nentries: []\n");
  expect_repaired("the making of slot-0 was cut off");
  EXPECT_FALSE(fs::exists(intent));
  EXPECT_EQ(state_of("slot-0"), "fresh");
}

TEST_P(LonelyDoctor, RemovesASharedLockOfAGitThatIsOnRecord) {
  world.stop_daemon();
  const auto lock = repo.path() / ".git/packed-refs.lock";
  write_text(lock, "");
  make_old(lock);
  const auto then = ::time(nullptr) - 60;
  write_text(world.state() / "killed",
             std::to_string(then - 5) + " " + std::to_string(then + 5) + " " + (repo.path() / ".git").string() + "\n");
  {
    Process holder({{"sh", "-c", "exec 3<" + lock.string() + "; echo open >&2; exec sleep 60"}, world.environment});
    ASSERT_TRUE(wait_until([&] { return !holder.err_so_far().empty(); }));
    (void)repair();
    EXPECT_TRUE(fs::exists(lock)) << "somebody has it open";
  }
  expect_repaired(lock.string());
  EXPECT_FALSE(fs::exists(lock));
}

TEST_P(LonelyDoctor, TouchesNothingInAPoolWhoseLockAnotherProcessHas) {
  const auto slot = world.acquire("x");
  world.stop_daemon();
  set_state(slot, "acquiring");
  const auto pool_lock = world.root() / "app/.meta/pool.lock";
  Process holder(
      {{"sh", "-c", "exec 9<" + pool_lock.string() + "; flock 9; echo locked >&2; exec sleep 60"}, world.environment});
  ASSERT_TRUE(wait_until([&] { return !holder.err_so_far().empty(); }));
  const auto before = snapshot();
  const auto outcome = repair();
  EXPECT_NE(outcome.out.find("another process holds its lock"), std::string::npos) << outcome;
  EXPECT_EQ(snapshot(), before);
  EXPECT_TRUE(repo.has_branch("x"));
}

INSTANTIATE_TEST_SUITE_P(Alone, LonelyDoctor, ::testing::Values(false));

TEST(DoctorOfAPoolAway, SaysWhyItIsNotServed) {
  World world;
  const Repo repo = world.make_repo();
  world.start_daemon();
  world.init(repo);
  world.stop_daemon();
  const auto pool_lock = world.root() / "app/.meta/pool.lock";
  Process holder(
      {{"sh", "-c", "exec 9<" + pool_lock.string() + "; flock 9; echo locked >&2; exec sleep 60"}, world.environment});
  ASSERT_TRUE(wait_until([&] { return !holder.err_so_far().empty(); }));
  for (const bool running : {false, true}) {
    if (running) world.start_daemon();
    const auto outcome = world.wtpool({"doctor"});
    EXPECT_EQ(outcome.code, 1) << outcome;
    EXPECT_NE(outcome.out.find("another process than your daemon holds " + pool_lock.string()), std::string::npos) << outcome;
    EXPECT_NE(outcome.out.find("hint: wtpool unstick --pool app"), std::string::npos) << outcome;
  }
}

}  // namespace
}  // namespace wtpool::test
