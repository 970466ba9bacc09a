// What a recovery takes back of an acquire that was cut off, and what it leaves: only what that acquire is known to have made.
#include <gtest/gtest.h>
#include <signal.h>

#include <optional>

#include "tests/support/wire.hpp"
#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class UndoneAcquire : public ::testing::Test {
 protected:
  void SetUp() override {
    world.environment["XDG_CONFIG_HOME"] = (world.dir() / "config").string();
    write_text(world.dir() / "config/wtpool/wtpoold.yaml", "seal: false\n");
    world.start_daemon();
    world.init(repo);
  }
  // An acquire of x, killed there. The next daemon is the test's to start.
  void kill_acquire_at(const std::string& failpoint, const std::vector<std::string>& options = {}) {
    world.stop_daemon();
    world.environment["WTPOOL_FAILPOINT"] = failpoint + ":kill";
    world.start_daemon();
    std::vector<std::string> arguments = {"acquire", "x"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    EXPECT_NE(world.wtpool(arguments).code, 0);
    world.kill_daemon();
    world.environment.erase("WTPOOL_FAILPOINT");
  }
  // One that stays there until the file is removed.
  void start_daemon_that_waits_at(const std::string& failpoint, const std::string& and_then = {}) {
    world.stop_daemon();
    write_text(wait_file(), "");
    world.environment["WTPOOL_FAILPOINT"] =
        failpoint + ":wait=" + wait_file().string() + "," + failpoint + ":log=" + come().string() + and_then;
    world.start_daemon();
  }
  void hold_acquire_at(const std::string& failpoint, const std::string& and_then = {}) {
    start_daemon_that_waits_at(failpoint, and_then);
    client.emplace(world.start_wtpool({"acquire", "x"}));
    ASSERT_TRUE(wait_until([&] { return fs::exists(come()); })) << client->err_so_far();
  }
  [[nodiscard]] fs::path come() const { return world.dir() / "come"; }
  [[nodiscard]] fs::path wait_file() const { return world.dir() / "wait"; }
  [[nodiscard]] bool left_in_meta() const {
    for (const auto& item : fs::directory_iterator(world.root() / "app/.meta")) {
      if (item.path().filename().string().starts_with("removing-")) return true;
    }
    return false;
  }
  World world;
  Repo repo = world.make_repo();
  fs::path slot = world.root() / "app/slot-0";
  std::optional<Process> client;
};

TEST_F(UndoneAcquire, LeavesABranchThatSomebodyMadeMeanwhileAndHasCheckedOut) {
  world.acquire("before");
  world.release("before");
  kill_acquire_at("acquire.marker-written");
  ASSERT_FALSE(repo.has_branch("x"));
  repo.git({"switch", "-q", "-c", "x"});
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_TRUE(repo.has_branch("x"));
  EXPECT_EQ(repo.git({"symbolic-ref", "HEAD"}), "refs/heads/x");
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(UndoneAcquire, LeavesTheBranchOfAnotherPoolThatHasTheNameByNow) {
  world.acquire("before");
  world.release("before");
  kill_acquire_at("acquire.marker-written");
  const auto wait = world.dir() / "wait";
  write_text(wait, "");
  world.environment["WTPOOL_FAILPOINT"] = "recover.begun:wait=" + wait.string();
  world.start_daemon();
  world.init(repo, {"--pool", "other"});
  git(world.acquire("x", {"--pool", "other"}), {"checkout", "-q", "--detach"});
  fs::remove(wait);
  EXPECT_TRUE(wait_until([&] { return !fs::exists(marker_of(slot)); }));
  EXPECT_TRUE(repo.has_branch("x"));
}

TEST_F(UndoneAcquire, OfAnIdleSlotWhoseIndexWasRemovedLeavesWhatLiesInIt) {
  world.acquire("before");
  world.release("before");
  write_text(slot / "cache.txt", "took an hour to make\n");
  write_text(slot / "build/cache.bin", "ignored\n");
  write_text(slot / "README.md", "written while nobody had the slot\n");
  fs::remove(gitdir_of(slot) / "index");
  kill_acquire_at("acquire.marker-written");
  ASSERT_FALSE(fs::exists(gitdir_of(slot) / "index"));
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_EQ(read_text(slot / "cache.txt"), "took an hour to make\n");
  EXPECT_EQ(read_text(slot / "build/cache.bin"), "ignored\n");
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "?? cache.txt");
  bool kept = false;
  for (const auto& ref : repo.trash_refs())
    kept = kept || repo.try_git({"show", ref + ":README.md"}).out == "written while nobody had the slot\n";
  EXPECT_TRUE(kept);
  EXPECT_EQ(world.acquire("x"), slot);
}

TEST_F(UndoneAcquire, KeepsWhatWasStagedWhileNobodyHadTheSlot) {
  world.acquire("before");
  world.release("before");
  write_text(slot / "README.md", "staged while nobody had the slot\n");
  git(slot, {"add", "README.md"});
  write_text(slot / "README.md", "A repository.\n");
  kill_acquire_at("acquire.marker-written");
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  bool kept = false;
  for (const auto& ref : repo.trash_refs())
    kept = kept || repo.try_git({"show", ref + "^2:README.md"}).out == "staged while nobody had the slot\n";
  EXPECT_TRUE(kept);
}

TEST_F(UndoneAcquire, OfAFreshSlotTakesItAway) {
  kill_acquire_at("acquire.fresh-marker-written");
  EXPECT_EQ(flat_yaml(read_text(marker_of(slot))).at("fresh"), "true");
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "fresh"));
  EXPECT_FALSE(fs::exists(slot));
  EXPECT_FALSE(left_in_meta());
  EXPECT_EQ(world.acquire("x"), slot);
  EXPECT_FALSE(flat_yaml(read_text(marker_of(slot))).contains("fresh")) << "of a held slot it says nothing";
}

TEST_F(UndoneAcquire, OfAFreshSlotWhoseMarkerDoesNotSaySoMakesItsTreeWhole) {
  kill_acquire_at("acquire.fresh-marker-written");
  auto marker = read_text(marker_of(slot));
  marker.replace(marker.find("fresh: true\n"), 12, "");
  write_text(marker_of(slot), marker);
  write_text(slot / "mine.txt", "mine\n");
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_EQ(read_text(slot / "mine.txt"), "mine\n");
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "?? mine.txt");
  EXPECT_EQ(world.acquire("x"), slot);
}

TEST_F(UndoneAcquire, LeavesADirectoryThatIsNotTheSlotsOwn) {
  kill_acquire_at("acquire.fresh-marker-written");
  fs::rename(slot, world.dir() / "elsewhere");
  write_text(slot / "mine.txt", "mine\n");
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "quarantined"));
  EXPECT_EQ(read_text(slot / "mine.txt"), "mine\n");
  EXPECT_EQ(world.wtpool({"repair", "slot-0"}).code, 0);
  EXPECT_EQ(world.json_of({"trash", "ls"}).size(), 1u);
}

TEST_F(UndoneAcquire, LeavesARepositoryThatStandsWhereTheSlotWasToBeMade) {
  kill_acquire_at("acquire.intent-written");
  const auto other = world.make_repo("other");
  other.git({"worktree", "add", "-q", "--detach", slot.string()});
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "quarantined"));
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), other.head());
}

// As a power loss leaves it: what is left of its text may lead to the source's own directory, or out of it.
TEST_F(UndoneAcquire, TakesAwayAGitFileOfWhichHalfIsLeft) {
  for (const std::string lost : {"worktrees/slot-0", "t/worktrees/slot-0", "-0"}) {
    kill_acquire_at("acquire.worktree-added");
    const auto whole = trimmed(read_text(slot / ".git"));
    ASSERT_TRUE(whole.ends_with(lost)) << whole;
    write_text(slot / ".git", whole.substr(0, whole.size() - lost.size()));
    world.start_daemon();
    EXPECT_TRUE(world.wait_for_state("slot-0", "fresh")) << lost;
    EXPECT_FALSE(fs::exists(slot));
  }
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(UndoneAcquire, ARollBackThatIsCutOffLeavesNoHalfOfADirectory) {
  const auto lock = repo.path() / ".git/refs/heads/x/of-somebody.lock";
  write_text(lock, "");
  kill_acquire_at("fresh.directory-aside");
  EXPECT_FALSE(fs::exists(slot));
  EXPECT_TRUE(left_in_meta());
  fs::remove_all(lock.parent_path());
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "fresh"));
  EXPECT_FALSE(left_in_meta());
  EXPECT_FALSE(fs::exists(repo.path() / ".git/worktrees/slot-0"));
  EXPECT_EQ(world.acquire("x"), slot);
}

TEST_F(UndoneAcquire, AnUndoThatIsCutOffIsFinished) {
  kill_acquire_at("acquire.fresh-marker-written");
  world.environment["WTPOOL_FAILPOINT"] = "fresh.directory-aside:kill";
  world.launch_daemon();
  ASSERT_TRUE(wait_until([&] { return left_in_meta(); }));
  world.kill_daemon();
  world.environment.erase("WTPOOL_FAILPOINT");
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "fresh"));
  EXPECT_FALSE(left_in_meta());
  EXPECT_FALSE(fs::exists(slot));
  EXPECT_EQ(world.acquire("x"), slot);
}

TEST_F(UndoneAcquire, AnEmptyDirectoryThatStoodThereStandsThereAgain) {
  fs::create_directories(slot);
  write_text(repo.path() / ".git/refs/heads/x/of-somebody.lock", "");
  EXPECT_NE(world.wtpool({"acquire", "x"}).code, 0);
  EXPECT_TRUE(fs::is_directory(slot) && fs::is_empty(slot));
  fs::remove_all(repo.path() / ".git/refs/heads/x");
  EXPECT_EQ(world.acquire("x"), slot);
}

// The branch that it made is locked by somebody just then.
TEST_F(UndoneAcquire, ThatCannotBeTakenBackAtOnceIsTakenBackLater) {
  world.acquire("before");
  world.release("before");
  start_daemon_that_waits_at("acquire.branch-made");
  Wire wire(world.socket());
  wire.send(request(100, "slot.acquire", {{"pool", "app"}, {"name", "x"}}));
  ASSERT_TRUE(wait_until([&] { return fs::exists(come()); }));
  const auto lock = repo.path() / ".git/refs/heads/x.lock";
  write_text(lock, "");
  wire.send(R"({"jsonrpc":"2.0","method":"$/cancel","params":{"id":100}})"
            "\n");
  EXPECT_TRUE(wire.call("host.status").contains("result")) << "and so the cancel was read";
  fs::remove(wait_file());
  const auto answer = wire.read();
  EXPECT_EQ(answer["id"], 100) << answer;
  EXPECT_TRUE(answer.contains("error")) << answer;
  EXPECT_TRUE(fs::exists(lock)) << "another's";
  EXPECT_TRUE(repo.has_branch("x"));
  fs::remove(lock);
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle")) << world.state_of("slot-0");
  EXPECT_FALSE(repo.has_branch("x"));
  EXPECT_EQ(world.acquire("x"), slot);
}

TEST_F(UndoneAcquire, LeavesTheBranchThatItWasToReplaceWhereItStoodAtTheVeryCommit) {
  world.acquire("before");
  world.release("before");
  repo.git({"branch", "x"});
  kill_acquire_at("acquire.marker-written", {"--replace"});
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_TRUE(repo.has_branch("x"));

  kill_acquire_at("acquire.old-branch-aside", {"--replace"});
  EXPECT_FALSE(repo.has_branch("x"));
  world.environment["WTPOOL_FAILPOINT"] = "recover.branch-undone:kill";
  world.launch_daemon();
  ASSERT_TRUE(wait_until([&] { return repo.has_branch("x"); }));
  world.kill_daemon();
  world.environment.erase("WTPOOL_FAILPOINT");
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_TRUE(repo.has_branch("x"));
}

TEST_F(UndoneAcquire, LeavesABranchThatSomebodyMadeAtTheVeryCommitWhileItWasUnderWay) {
  hold_acquire_at("acquire.fresh-marker-written", ",acquire.rolling-back:kill");
  repo.git({"branch", "x"});
  fs::remove(wait_file());
  EXPECT_NE(client->wait().code, 0);
  world.kill_daemon();
  world.environment.erase("WTPOOL_FAILPOINT");
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "fresh")) << world.state_of("slot-0");
  EXPECT_TRUE(repo.has_branch("x"));
}

}  // namespace
}  // namespace wtpool::test
