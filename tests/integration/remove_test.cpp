#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Remove : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    before = repo.everything();
    world.init(repo);
  }
  World world;
  Repo repo = world.make_repo();
  std::string before;
};

TEST_F(Remove, OfAnIdleSlotTakesItsDirectoryAndItsEntry) {
  const auto slot = world.acquire("x");
  world.release("x");
  const auto outcome = world.wtpool({"remove", "slot-0"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(outcome.out, "");
  EXPECT_FALSE(fs::exists(slot));
  EXPECT_EQ(world.state_of("slot-0"), "fresh");
  EXPECT_EQ(repo.everything(), before);
  EXPECT_EQ(world.acquire("y"), slot);
}

TEST_F(Remove, OfAHeldSlotIsRefused) {
  const auto slot = world.acquire("x");
  EXPECT_EQ(world.wtpool({"remove", "slot-0"}).code, 1);
  EXPECT_EQ(world.wtpool({"remove", "--pool", "app"}).code, 1);
  EXPECT_EQ(world.state_of("slot-0"), "held");
  EXPECT_TRUE(fs::exists(slot / "README.md"));
}

TEST_F(Remove, OfThePoolLeavesTheSourceAsItWas) {
  world.acquire("x");
  world.acquire("y");
  world.release("x");
  world.release("y");
  const auto outcome = world.wtpool({"remove", "--pool", "app"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(outcome.out, "");
  EXPECT_FALSE(fs::exists(world.root() / "app"));
  EXPECT_EQ(repo.everything(), before);
  EXPECT_EQ(repo.complaint(), "");
  EXPECT_TRUE(world.json_of({"pools"}).empty());
  world.init(repo);
  world.acquire("x");
}

TEST_F(Remove, OfThePoolSaysWhatStaysOfItsTrash) {
  for (const auto* name : {"x", "y"}) {
    write_text(world.acquire(name) / "README.md", std::string("work of ") + name);
    world.release(name);
  }
  ASSERT_EQ(world.json_of({"trash", "ls"}).size(), 2u);
  repo.git({"update-ref", "refs/wtpool/trash/20260101T000000Z-00000000/head", "HEAD"});  // of a pool that was there before
  const auto outcome = world.wtpool({"remove", "--pool", "app"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(
      outcome.err.find("2 entries of the trash of pool app stay, by ID in " + (world.root() / "app/.meta/trash").string() +
                       " and below refs/wtpool/trash/ of " + repo.common_dir().string()),
      std::string::npos)
      << outcome;
  // Made anew, the pool has them again.
  world.init(repo);
  const auto entries = world.json_of({"trash", "ls"});
  ASSERT_EQ(entries.size(), 2u) << entries;
  for (const auto& entry : entries) EXPECT_EQ(world.wtpool({"trash", "drop", entry.value("id", "")}).code, 0);
  const auto nothing_left = world.wtpool({"remove", "--pool", "app"});
  EXPECT_EQ(nothing_left.code, 0) << nothing_left;
  EXPECT_EQ(nothing_left.err.find("trash"), std::string::npos) << nothing_left;
  EXPECT_FALSE(fs::exists(world.root() / "app"));
}

TEST_F(Remove, OfAPoolWithoutSlotsWorks) {
  EXPECT_EQ(world.wtpool({"remove", "--pool", "app"}).code, 0);
  EXPECT_FALSE(fs::exists(world.root() / "app"));
  EXPECT_EQ(repo.everything(), before);
}

TEST_F(Remove, LeavesWorktreesThatAreNotThePoolsAlone) {
  const auto mine = world.dir() / "mine";
  repo.git({"worktree", "add", "-q", "-b", "mine", mine.string()});
  const auto with_mine = repo.everything();
  world.acquire("x");
  world.release("x");
  EXPECT_EQ(world.wtpool({"remove", "--pool", "app"}).code, 0);
  EXPECT_EQ(repo.everything(), with_mine);
}

TEST_F(Remove, OfWhatIsNotThereIsAnError) {
  EXPECT_EQ(world.wtpool({"remove", "slot-77"}).code, 1);
  EXPECT_EQ(world.wtpool({"remove", "--pool", "nowhere"}).code, 1);
  EXPECT_EQ(world.wtpool({"remove"}).code, 2);
}

// A repository that was deleted while its pool was served must not leave a pool that nobody can take away.
TEST_F(Remove, OfAPoolWhoseSourceIsGoneKeepsWhatIsInItsSlots) {
  const auto slot = world.acquire("x");
  world.release("x");
  std::ofstream(slot / "mine.txt") << "mine";
  fs::rename(repo.path(), world.dir() / "gone");
  const auto outcome = world.wtpool({"remove", "--pool", "app"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_TRUE(world.json_of({"pools"}).empty());
  EXPECT_FALSE(fs::exists(slot));
  std::vector<fs::path> kept;
  for (const auto& each : fs::recursive_directory_iterator(world.root() / "app/.meta/trash")) {
    if (each.path().filename() == "mine.txt") kept.push_back(each.path());
  }
  ASSERT_EQ(kept.size(), 1u);
  // The caller is told where it is.
  EXPECT_NE(outcome.err.find((world.root() / "app/.meta/trash").string()), std::string::npos) << outcome;
}

TEST_F(Remove, OfAPoolWhoseSourceWasGoneAtTheStartSaysWhatIsLeftToDo) {
  world.stop_daemon();
  fs::rename(repo.path(), world.dir() / "gone");
  world.start_daemon();
  const auto outcome = world.wtpool({"remove", "--pool", "app"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.err.find("rm -r " + (world.root() / "app").string()), std::string::npos) << outcome;
  EXPECT_TRUE(fs::exists(world.root() / "app/.meta/config.yaml"));
}

// build/ is ignored.
TEST_F(Remove, OfASlotWithARepositoryThatGitIgnoresIsRefused) {
  const auto slot = world.acquire("x");
  const auto inside = Repo::make(slot / "build/deep/dep");
  const auto commit = inside.commit("own.txt", "own\n");
  world.release("x");
  const auto outcome = world.wtpool({"remove", "slot-0"});
  EXPECT_EQ(outcome.code, 11) << outcome;
  EXPECT_NE(outcome.err.find("mv " + inside.path().string() + " ELSEWHERE"), std::string::npos) << outcome;
  EXPECT_EQ(inside.head(), commit);
  fs::rename(inside.path(), world.dir() / "elsewhere");
  EXPECT_EQ(world.wtpool({"remove", "slot-0"}).code, 0);
  EXPECT_EQ(repo.everything(), before);
}

// As build tools make them by the dozen.
TEST_F(Remove, OfASlotWithAnIgnoredCopyOfSomebodysRepositoryTakesThatAlong) {
  const auto slot = world.acquire("x");
  const auto copy = slot / "build/_deps/app-src";
  git(slot, {"clone", "-q", repo.path().string(), copy.string()});
  git(copy, {"checkout", "-q", "--detach"});
  world.release("x");
  EXPECT_EQ(world.wtpool({"remove", "slot-0"}).code, 0);
  EXPECT_FALSE(fs::exists(slot));
  EXPECT_EQ(repo.everything(), before);

  world.acquire("x");
  git(slot, {"clone", "-q", repo.path().string(), copy.string()});
  (void)Repo(copy).commit("own.txt", "own\n");
  git(copy, {"checkout", "-q", "--detach", "origin/main"});
  git(copy, {"branch", "-q", "-D", "main"});
  world.release("x");
  EXPECT_EQ(world.wtpool({"remove", "slot-0"}).code, 11) << "a commit that its reflog alone leads to";
}

TEST_F(Remove, OfASlotWithALinkedWorktreeThatGitIgnoresIsRefused) {
  const auto slot = world.acquire("x");
  repo.git({"worktree", "add", "-q", "-b", "wtb", (slot / "build/wt").string()});
  world.release("x");
  write_text(slot / "build/wt/README.md", "changed\n");
  const auto outcome = world.wtpool({"remove", "slot-0"});
  EXPECT_EQ(outcome.code, 11) << outcome;
  EXPECT_EQ(read_text(slot / "build/wt/README.md"), "changed\n");
  repo.git({"worktree", "remove", "--force", (slot / "build/wt").string()});
  EXPECT_EQ(world.wtpool({"remove", "slot-0"}).code, 0);
}

TEST_F(Remove, DoesNotLookForRepositoriesBehindASymlink) {
  const auto slot = world.acquire("x");
  const auto elsewhere = world.make_repo("elsewhere");
  fs::create_directories(slot / "build");
  fs::create_directory_symlink(elsewhere.path(), slot / "build/link");
  world.release("x");
  const auto outcome = world.wtpool({"remove", "slot-0"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(elsewhere.complaint(), "");
}

TEST_F(Remove, OfASlotThatIsQuarantinedWithAMarkerNamesTheWayOut) {
  world.stop_daemon();
  world.environment["WTPOOL_FAILPOINT"] = "recycle.begun:kill";
  world.start_daemon();
  const auto slot = world.acquire("x");
  write_text(slot / "README.md", "work\n");
  (void)world.wtpool({"release", "x", "--wait"});
  world.kill_daemon();
  world.environment.erase("WTPOOL_FAILPOINT");
  fs::rename(slot, world.dir() / "theirs");
  fs::create_directories(slot);
  world.start_daemon();
  ASSERT_TRUE(world.wait_for_state("slot-0", "quarantined"));
  const auto outcome = world.wtpool({"remove", "slot-0"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.err.find("hint: wtpool repair slot-0 --pool app"), std::string::npos) << outcome;
  fs::remove(slot);
  fs::rename(world.dir() / "theirs", slot);
  EXPECT_EQ(world.wtpool({"repair", "slot-0"}).code, 0);
  ASSERT_EQ(repo.trash_refs().size(), 1u);
  EXPECT_EQ(repo.git({"show", repo.trash_refs().front() + ":README.md"}), "work");
  EXPECT_EQ(world.wtpool({"remove", "slot-0"}).code, 0);
}

}  // namespace
}  // namespace wtpool::test
