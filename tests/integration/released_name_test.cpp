// A NAME is free as soon as its release was answered, while the slot is still being recycled. A daemon that is killed then
// leaves a release to be finished, whose NAME somebody else may have by now.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class ReleasedName : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto wait = world.dir() / "wait";
    write_text(wait, "");
    world.environment["WTPOOL_FAILPOINT"] = "recycle.begun@1:wait=" + wait.string();
    world.start_daemon();
    world.init(repo);
    slot = world.acquire("x");
  }
  // Answered, its refs settled; its slot is not recycled.
  void release_x() const {
    const auto outcome = world.wtpool({"release", "x"});
    ASSERT_EQ(outcome.code, 0) << outcome;
    ASSERT_FALSE(repo.has_branch("x"));
    ASSERT_EQ(flat_yaml(read_text(marker_of(slot))).at("state"), "releasing");
  }
  void restart() {
    world.kill_daemon();
    world.environment.erase("WTPOOL_FAILPOINT");
    world.start_daemon();
  }
  // The ids of the commits under refs that end so.
  [[nodiscard]] std::vector<std::string> kept(const std::string& ending) const {
    std::vector<std::string> commits;
    for (const auto& ref : repo.trash_refs()) {
      if (ref.ends_with(ending)) commits.push_back(repo.git({"rev-parse", ref}));
    }
    std::sort(commits.begin(), commits.end());
    return commits;
  }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
};

TEST_F(ReleasedName, GivenAwayAgainIsTheNewHoldersAndWhatWasKeptOfTheOldOneStays) {
  const auto old = Repo(slot).commit("work.txt", "work\n");
  release_x();
  const auto later = repo.commit("later.txt", "later\n");
  const auto other = world.acquire("x");
  ASSERT_EQ(git(other, {"rev-parse", "HEAD"}), later);
  git(other, {"checkout", "-q", "--detach"});  // for a moment, as holders do
  restart();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_EQ(world.state_of("slot-1"), "held");
  EXPECT_EQ(kept("/heads/x"), std::vector<std::string>{old});
  ASSERT_TRUE(repo.has_branch("x"));
  EXPECT_EQ(repo.git({"rev-parse", "x"}), later);
  world.release("x");
  EXPECT_FALSE(repo.has_branch("x"));
}

TEST_F(ReleasedName, GivenAwayAgainIsTheNewHoldersWhenTheOldSlotIsRepaired) {
  Repo(slot).commit("work.txt", "work\n");
  release_x();
  const auto other = world.acquire("x");
  git(other, {"checkout", "-q", "--detach"});
  world.kill_daemon();
  world.environment.erase("WTPOOL_FAILPOINT");
  write_text(world.root() / "app/.meta/quarantine/slot-0.yaml", "reason: a test\ntime: 2026-05-05T03:34:56Z\ndoing: recycle\n");
  world.start_daemon();
  const auto outcome = world.wtpool({"repair", "slot-0"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_TRUE(repo.has_branch("x"));
  EXPECT_EQ(world.state_of("slot-1"), "held");
}

TEST_F(ReleasedName, ABranchThatSomebodyMadeOfItSinceIsLeftAlone) {
  const auto old = Repo(slot).commit("work.txt", "work\n");
  release_x();
  const auto later = repo.commit("later.txt", "later\n");
  repo.git({"branch", "x"});
  restart();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_EQ(kept("/heads/x"), std::vector<std::string>{old});
  ASSERT_TRUE(repo.has_branch("x"));
  EXPECT_EQ(repo.git({"rev-parse", "x"}), later);
}

TEST_F(ReleasedName, ACommitMadeInTheSlotSinceIsKeptBesideTheOneThatWasKept) {
  git(slot, {"checkout", "-q", "--detach"});
  const auto one = Repo(slot).commit("work.txt", "work\n");
  release_x();
  ASSERT_EQ(kept("/head"), std::vector<std::string>{one});
  git(slot, {"commit", "-q", "--amend", "-m", "in other words"});
  const auto other = Repo(slot).head();
  restart();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  std::vector<std::string> both{one, other};
  std::sort(both.begin(), both.end());
  EXPECT_EQ(kept("/head"), both);
}

TEST_F(ReleasedName, WhatWasKeptOnceIsNotKeptAgain) {
  const auto old = Repo(slot).commit("work.txt", "work\n");
  release_x();
  const auto refs = repo.trash_refs();
  restart();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_EQ(kept("/heads/x"), std::vector<std::string>{old});
  EXPECT_EQ(repo.trash_refs(), refs);
  EXPECT_FALSE(repo.has_branch("x"));
}

}  // namespace
}  // namespace wtpool::test
