// A source that checks out a part of its files: every holder has that part, whatever the last one chose.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Sparse : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(world.dir() / "config/wtpool");
    write_text(world.dir() / "config/wtpool/wtpoold.yaml", "seal: false\n");
    repo.commit("a/f", "a\n");
    repo.commit("b/f", "b\n");
    repo.git({"config", "extensions.worktreeConfig", "true"});
    repo.git({"sparse-checkout", "set", "--cone", "a"});
    world.start_daemon();
    world.init(repo, {"--max-slots", "1"});
    slot = world.acquire("first");
    ASSERT_TRUE(fs::exists(slot / "a/f"));
    ASSERT_FALSE(fs::exists(slot / "b"));
  }
  void expect_the_sources_part(const std::string& name) const {
    EXPECT_EQ(world.acquire(name), slot);
    EXPECT_EQ(read_text(slot / "a/f"), "a\n");
    EXPECT_FALSE(fs::exists(slot / "b/f"));
    EXPECT_EQ(git(slot, {"ls-files", "-t", "a", "b"}), "H a/f\nS b/f");
    EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
};

TEST_F(Sparse, AnotherPartThatAHolderChoseIsNotTheNextHolders) {
  git(slot, {"sparse-checkout", "set", "b"});
  ASSERT_TRUE(fs::exists(slot / "b/f"));
  world.release("first");
  EXPECT_FALSE(fs::exists(slot / "b/f"));
  expect_the_sources_part("second");
  git(slot, {"sparse-checkout", "disable"});
  world.release("second");
  expect_the_sources_part("third");
}

TEST_F(Sparse, AFileThatAHolderLeftOutIsThereForTheNext) {
  git(slot, {"update-index", "--skip-worktree", "a/f"});
  fs::remove(slot / "a/f");
  world.release("first");
  expect_the_sources_part("second");
}

TEST_F(Sparse, APartThatSomebodyChoseInAnIdleSlotIsNotTheNextHolders) {
  world.release("first");
  git(slot, {"sparse-checkout", "set", "b"});
  expect_the_sources_part("second");
}

TEST_F(Sparse, WhatWasChangedInAnotherPartIsKept) {
  git(slot, {"sparse-checkout", "set", "b"});
  write_text(slot / "b/f", "work\n");
  world.release("first");
  expect_the_sources_part("second");
  const auto refs = repo.trash_refs();
  ASSERT_EQ(refs.size(), 1u);
  EXPECT_EQ(repo.git({"show", refs.front() + ":b/f"}), "work");
}

// By this setting git takes a file that is there for one that is not looked at.
TEST_F(Sparse, WhatTheSourceExpectsOutsideOfItsPartIsLookedAtAllTheSame) {
  repo.git({"config", "sparse.expectFilesOutsideOfPatterns", "true"});
  git(slot, {"update-index", "--skip-worktree", "a/f"});
  write_text(slot / "a/f", "work\n");
  write_text(slot / "b/f", "work as well\n");
  ASSERT_EQ(git(slot, {"status", "--porcelain"}), "");
  world.release("first");
  expect_the_sources_part("second");
  const auto refs = repo.trash_refs();
  ASSERT_EQ(refs.size(), 1u);
  EXPECT_EQ(repo.git({"show", refs.front() + ":a/f"}), "work");
  EXPECT_EQ(repo.git({"show", refs.front() + ":b/f"}), "work as well");
}

// A source that checks out all of its files, and a holder who wants a part.
class SparseHolder : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(world.dir() / "config/wtpool");
    write_text(world.dir() / "config/wtpool/wtpoold.yaml", "seal: false\n");
    repo.commit("a/f", "a\n");
    repo.commit("b/f", "b\n");
    world.start_daemon();
    world.init(repo, {"--max-slots", "1"});
    slot = world.acquire("first");
  }
  void choose_a_part() const {
    git(slot, {"sparse-checkout", "set", "--cone", "a"});
    ASSERT_FALSE(fs::exists(slot / "b"));
  }
  void expect_all_of_it() const {
    EXPECT_EQ(world.acquire("next"), slot);
    EXPECT_EQ(read_text(slot / "b/f"), "b\n");
    EXPECT_EQ(read_text(slot / "a/f"), "a\n");
    EXPECT_EQ(git(slot, {"ls-files", "-t", "a", "b"}), "H a/f\nH b/f");
    EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
};

TEST_F(SparseHolder, HasDeletedNothing) {
  choose_a_part();
  world.release("first");
  EXPECT_TRUE(repo.trash_refs().empty());
  expect_all_of_it();
}

TEST_F(SparseHolder, HasDeletedNothingWhenHisReleaseIsCutOffEither) {
  choose_a_part();
  world.stop_daemon();
  world.environment["WTPOOL_FAILPOINT"] = "tree.left-out-back:kill";
  world.start_daemon();
  (void)world.wtpool({"release", "first"});  // answered or not
  ASSERT_TRUE(wait_until([&] { return !world.answers(); }));
  world.kill_daemon();
  world.environment.erase("WTPOOL_FAILPOINT");
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_TRUE(repo.trash_refs().empty());
  expect_all_of_it();
}

TEST_F(SparseHolder, HasChangedNoMoreThanHeEdited) {
  choose_a_part();
  write_text(slot / "a/f", "work\n");
  world.release("first");
  const auto refs = repo.trash_refs();
  ASSERT_EQ(refs.size(), 1u);
  EXPECT_EQ(repo.git({"diff", "--name-only", refs.front() + "^", refs.front()}), "a/f");
  expect_all_of_it();
}

TEST_F(SparseHolder, WhoCommittedThereLosesNothing) {
  choose_a_part();
  const auto tip = Repo(slot).commit("a/f", "committed\n");
  world.release("first");
  const auto refs = repo.trash_refs();
  ASSERT_EQ(refs.size(), 1u);
  EXPECT_EQ(repo.git({"rev-parse", refs.front()}), tip);
  expect_all_of_it();
}

TEST_F(SparseHolder, APartThatSomebodyChoseInAnIdleSlotIsNotTheNextHolders) {
  world.release("first");
  choose_a_part();
  expect_all_of_it();
  EXPECT_TRUE(repo.trash_refs().empty());
}

}  // namespace
}  // namespace wtpool::test
