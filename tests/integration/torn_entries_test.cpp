// Worktree entries of slots in use that lost what leads to their source or their slot: git fails in the whole source then.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class TornEntries : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo, {"--max-slots", "3"});
    slot = world.acquire("x");
  }
  void tear() const { write_text(gitdir_of(slot) / GetParam(), ""); }
  void expect_whole() const {
    EXPECT_EQ(repo.complaint(), "");
    EXPECT_EQ(git(slot, {"rev-parse", "--show-toplevel"}), slot.string());
  }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
};

TEST_P(TornEntries, AnAcquireOfAFreshSlotPutsThemRightFirst) {
  tear();
  world.acquire("y");
  expect_whole();
}

TEST_P(TornEntries, AnAcquireOfAnIdleSlotAtAnotherCommitPutsThemRightFirst) {
  world.acquire("y");
  world.release("y");
  const auto commit = repo.commit("README.md", "other\n");
  tear();
  EXPECT_EQ(world.wtpool({"acquire", "z", "--commit", commit}).code, 0);
  expect_whole();
}

TEST_P(TornEntries, TheSlotsOwnReleasePutsThemRightFirst) {
  write_text(slot / "README.md", "work\n");
  tear();
  world.release("x");
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  EXPECT_EQ(repo.trash_refs().size(), 1u);
  expect_whole();
}

TEST_P(TornEntries, TheNextDaemonPutsThemRight) {
  world.stop_daemon();
  tear();
  world.start_daemon();
  EXPECT_EQ(world.state_of("slot-0"), "held");
  expect_whole();
}

TEST_P(TornEntries, AnIdleSlotIsNotQuarantinedForThem) {
  world.release("x");
  world.stop_daemon();
  tear();
  world.start_daemon();
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  expect_whole();
}

INSTANTIATE_TEST_SUITE_P(Of, TornEntries, ::testing::Values("commondir", "gitdir"),
                         [](const auto& each) { return std::string(each.param); });

// `gitdir` alone says then whose it is, and the marker that it was in use.
TEST(TornEntry, OfASlotWithoutItsDirectoryIsPutRightByItsRelease) {
  World world;
  const Repo repo = world.make_repo();
  world.start_daemon();
  world.init(repo);
  const auto slot = world.acquire("x");
  const auto commit = Repo(slot).commit("README.md", "work\n");
  write_text(gitdir_of(slot) / "commondir", "");
  fs::remove_all(slot);
  EXPECT_EQ(world.wtpool({"release", "x", "--wait"}).code, 0);
  ASSERT_EQ(repo.trash_refs().size(), 1u);
  EXPECT_EQ(repo.git({"rev-parse", repo.trash_refs().front()}), commit);
  EXPECT_EQ(repo.complaint(), "");
}

TEST(TornEntry, OfSomebodysOwnWorktreeIsLeftAsItIs) {
  World world;
  const Repo repo = world.make_repo();
  world.start_daemon();
  world.init(repo);
  const auto mine = world.dir() / "slot-7";
  repo.git({"worktree", "add", "-q", "--detach", mine.string()});
  const auto slot = world.acquire("x");
  world.stop_daemon();
  write_text(repo.path() / ".git/worktrees/slot-7/commondir", "");
  world.start_daemon();
  EXPECT_EQ(world.state_of("slot-0"), "held");
  EXPECT_EQ(read_text(repo.path() / ".git/worktrees/slot-7/commondir"), "");
}

}  // namespace
}  // namespace wtpool::test
