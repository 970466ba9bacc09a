// What a power loss leaves and a kill never does: files that were renamed into place and have no content. tests/faults/power
// finds such disks by chance; here are the ones that wtpool once could not live with, made by hand.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Power : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo);
  }
  void set_old(const fs::path& file) {
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(87600));
  }
  bool kept(const std::string& oid) const {
    const auto refs = repo.trash_refs();
    return std::any_of(refs.begin(), refs.end(), [&](const std::string& ref) { return repo.git({"rev-parse", ref}) == oid; });
  }
  World world;
  Repo repo = world.make_repo();
};

TEST_F(Power, AHeldSlotsEmptyHeadIsPutBackOnItsBranch) {
  const auto slot = world.acquire("x");
  for (const std::string& left :
       {std::string(), std::string(20, '\0'), std::string("ref: refs/hea"), std::string("ref: refs/heads/")}) {
    world.stop_daemon();
    write_text(gitdir_of(slot) / "HEAD", left);
    world.start_daemon();
    EXPECT_EQ(world.state_of("slot-0"), "held") << "and the pool is loaded";
    EXPECT_EQ(git(slot, {"symbolic-ref", "HEAD"}), "refs/heads/x") << left.size();
  }
  EXPECT_EQ(repo.complaint(), "");
  world.release("x");
  EXPECT_EQ(world.state_of("slot-0"), "idle");
}

TEST_F(Power, LocksFromBeforeTheMachineWasStartedAreRemovedAndOthersAreNot) {
  const auto slot = world.acquire("x");
  world.stop_daemon();
  const auto old = repo.path() / ".git/packed-refs.lock";
  const auto young = repo.path() / ".git/refs/heads/other.lock";
  write_text(old, "");
  write_text(young, "");
  set_old(old);
  world.start_daemon();
  EXPECT_EQ(world.state_of("slot-0"), "held") << "and the pool is loaded";
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(young));
}

TEST_F(Power, AReleaseThatWasCutOffGoesOnOverItsOwnLock) {
  const auto slot = world.acquire("x");
  world.stop_daemon();
  auto marker = read_text(marker_of(slot));
  marker.replace(marker.find("state: held"), 11, "state: releasing\non_dirty: save");
  write_text(marker_of(slot), marker);
  write_text(gitdir_of(slot) / "HEAD.lock", "");
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_FALSE(repo.has_branch("x"));
}

TEST_F(Power, HalfAnEntryOfAFreshSlotIsMovedAsideWhateverItSays) {
  world.stop_daemon();
  const auto slot = world.root() / "app/slot-0";
  const auto entry = repo.path() / ".git/worktrees/slot-0";
  write_text(entry / "commondir", "..");
  write_text(entry / "gitdir", "");
  write_text(entry / "HEAD", repo.head() + "\n");
  write_text(world.root() / "app/.meta/init/slot-0.intent",
             "started_at: 2026-05-05T03:34:56Z\nfull_sha: " + repo.head() +
                 "\nformat: 2\nstate: acquiring\nname: x\nlease_id: " + std::string(32, 'a') +
                 "\nlease_kind: durable\nbranch_base: " + repo.head() + "\nentries: []\n");
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "fresh"));
  EXPECT_FALSE(fs::exists(entry));
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(Power, AStagedFileOfWhichHalfIsLeftIsNotTakenForKept) {
  const auto slot = world.acquire("x");
  write_text(slot / "README.md", "work that was staged\n");
  git(slot, {"add", "README.md"});
  const auto blob = git(slot, {"hash-object", "README.md"});
  const auto object = repo.path() / ".git/objects" / blob.substr(0, 2) / blob.substr(2);
  fs::permissions(object, fs::perms::owner_all);
  write_text(object, "");
  (void)world.wtpool({"release", "x", "--wait"});
  // git takes an object that is there for whole, and would not write it again.
  EXPECT_TRUE(world.wait_for_state("slot-0", "quarantined"));
  EXPECT_EQ(read_text(slot / "README.md"), "work that was staged\n");
}

TEST_F(Power, WhatAnAcquireKeptIsNotReplacedByWhatItsReleaseKeeps) {
  repo.git({"branch", "x"});
  const auto old = git(repo.path(), {"commit-tree", "-m", "old work", repo.head() + "^{tree}"});
  repo.git({"update-ref", "refs/heads/x", old});
  const auto slot = world.acquire("x", {"--replace"});
  const auto tip = Repo(slot).commit("new.txt", "new work\n");
  world.release("x");  // within the second, mostly
  EXPECT_TRUE(kept(old));
  EXPECT_TRUE(kept(tip));
}

}  // namespace
}  // namespace wtpool::test
