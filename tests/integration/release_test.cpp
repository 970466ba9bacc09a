#include <gtest/gtest.h>

#include <regex>

#include "tests/support/wire.hpp"
#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Release : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo);
    slot = world.acquire("x");
  }
  [[nodiscard]] std::string trash_ref_ending(const std::string& ending) const {
    for (const auto& ref : repo.trash_refs()) {
      if (ref.ends_with(ending)) return ref;
    }
    ADD_FAILURE() << "no trash ref ends with " << ending;
    return "HEAD";
  }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
};

// The holder is told that the slot is his, and goes on; a daemon killed now must not take it from him at its next start.
TEST_F(Release, ThatCannotMoveTheRefsLeavesAMarkerThatSaysHeld) {
  const auto lock = repo.path() / ".git/refs/heads/x.lock";
  write_text(lock, "somebody's");
  {
    Wire wire(world.socket());  // open: what is read back when a client has gone is not read back yet
    ASSERT_TRUE(wire.call("slot.release", {{"pool", "app"}, {"name", "x"}}).contains("error"));
    EXPECT_EQ(flat_yaml(read_text(marker_of(slot))).at("state"), "held");
    EXPECT_EQ(world.state_of("slot-0"), "held");
  }
  world.kill_daemon();
  world.start_daemon();
  EXPECT_EQ(world.state_of("slot-0"), "held");
  EXPECT_EQ(git(slot, {"symbolic-ref", "HEAD"}), "refs/heads/x");
  fs::remove(lock);
  world.release("x");
  EXPECT_FALSE(repo.has_branch("x"));
}

TEST_F(Release, GivesTheSlotBackAndDeletesTheBranch) {
  const auto outcome = world.wtpool({"release", "x"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(outcome.out, "");
  EXPECT_FALSE(repo.has_branch("x"));
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_FALSE(fs::exists(marker_of(slot)));
  EXPECT_NE(try_git(slot, {"symbolic-ref", "-q", "HEAD"}).code, 0) << "HEAD is to be detached";
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), repo.head());
  EXPECT_TRUE(repo.trash_refs().empty());
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(Release, TwiceIsAlreadyReleased) {
  world.release("x");
  const auto outcome = world.wtpool({"release", "x"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("already released"), std::string::npos) << outcome;
}

TEST_F(Release, TakesASlotIdToo) {
  world.release("slot-0");
  EXPECT_FALSE(repo.has_branch("x"));
  EXPECT_EQ(world.state_of("slot-0"), "idle");
}

TEST_F(Release, TakesTheLeaseAloneAndKnowsWhenItIsOver) {
  const auto lease = flat_yaml(read_text(marker_of(slot))).at("lease_id");
  EXPECT_EQ(world.wtpool({"release", "--lease", lease, "--wait"}).code, 0);
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  const auto outcome = world.wtpool({"release", "--lease", lease});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("already released"), std::string::npos) << outcome;
}

TEST_F(Release, OfAnotherLeaseIsRefusedAndNothingIsDone) {
  const auto before = repo.everything();
  const auto marker = read_text(marker_of(slot));
  for (const auto* target : {"x", "slot-0"}) {
    const auto outcome = world.wtpool({"release", target, "--lease", std::string(32, 'b')});
    EXPECT_EQ(outcome.code, 13) << outcome;
    EXPECT_EQ(outcome.out, "");
  }
  EXPECT_EQ(read_text(marker_of(slot)), marker);
  EXPECT_EQ(repo.everything(), before);
}

TEST_F(Release, WithoutAnArgumentTakesTheSlotOfTheCurrentDirectory) {
  fs::create_directories(slot / "build/deep");
  const auto outcome = world.wtpool({"release", "--wait"}, {.directory = slot / "build/deep"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(world.state_of("slot-0"), "idle");
}

TEST_F(Release, LeavesUntrackedAndIgnoredFilesWhereTheyAre) {
  write_text(slot / "build/cache.bin", "warm");
  write_text(slot / "notes.txt", "mine");
  world.release("x");
  EXPECT_EQ(read_text(slot / "build/cache.bin"), "warm");
  EXPECT_EQ(read_text(slot / "notes.txt"), "mine");
  EXPECT_TRUE(repo.trash_refs().empty()) << "nothing was destroyed, so nothing is to be kept";
}

TEST_F(Release, KeepsCommitsOfTheBranch) {
  const auto tip = Repo(slot).commit("work.txt", "work\n");
  const auto lease = flat_yaml(read_text(marker_of(slot))).at("lease_id");
  world.release("x");
  EXPECT_FALSE(repo.has_branch("x"));
  const auto ref = trash_ref_ending("/heads/x");
  EXPECT_TRUE(std::regex_match(ref, std::regex("refs/wtpool/trash/\\d{8}T\\d{6}Z-" + lease.substr(0, 8) + "/heads/x"))) << ref;
  EXPECT_EQ(repo.git({"rev-parse", ref}), tip);
  EXPECT_FALSE(fs::exists(slot / "work.txt"));
  repo.git({"reflog", "expire", "--expire=now", "--all"});
  repo.git({"gc", "-q", "--prune=now"});
  EXPECT_EQ(repo.git({"cat-file", "-t", tip}), "commit");
}

TEST_F(Release, KeepsADetachedHeadThatIsElsewhere) {
  git(slot, {"switch", "-q", "--detach"});
  const auto tip = Repo(slot).commit("work.txt", "detached work\n");
  world.release("x");
  EXPECT_EQ(repo.git({"rev-parse", trash_ref_ending("/head")}), tip);
  EXPECT_FALSE(repo.has_branch("x"));
}

TEST_F(Release, LeavesABranchAloneThatTheUserSwitchedTo) {
  git(slot, {"switch", "-q", "-c", "by-hand"});
  const auto tip = Repo(slot).commit("work.txt", "work\n");
  world.release("x");
  EXPECT_EQ(repo.git({"rev-parse", "refs/heads/by-hand"}), tip);
  EXPECT_FALSE(repo.has_branch("x"));
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  EXPECT_NE(try_git(slot, {"symbolic-ref", "-q", "HEAD"}).code, 0);
}

TEST_F(Release, WorksWhenTheBranchWasDeletedByHand) {
  git(slot, {"switch", "-q", "--detach"});
  repo.git({"branch", "-q", "-D", "x"});
  world.release("x");
  EXPECT_EQ(world.state_of("slot-0"), "idle");
}

TEST_F(Release, KeepsDirtyWorkAsACommitThatStashCanApply) {
  write_text(slot / "README.md", "changed, not staged\n");
  write_text(slot / "src/main.c", "staged\n");
  git(slot, {"add", "src/main.c"});
  write_text(slot / "added.txt", "new and staged\n");
  git(slot, {"add", "added.txt"});
  git(slot, {"rm", "-q", "--cached", "Makefile"});
  fs::remove(slot / "Makefile");
  const auto outcome = world.wtpool({"release", "x", "--wait"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  const auto ref = trash_ref_ending("/work");
  const auto id = ref.substr(std::string("refs/wtpool/trash/").size(), 25);
  EXPECT_NE(outcome.err.find(id), std::string::npos) << "the trash ID is to be said\n" << outcome;
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  EXPECT_EQ(repo.git({"rev-parse", ref + "^1"}), repo.head()) << "first parent: HEAD";
  EXPECT_EQ(repo.git({"show", ref + "^2:src/main.c"}), "staged") << "second parent: the index";

  const auto copy = Repo::clone(world.dir() / "copy", repo);
  copy.git({"fetch", "-q", "origin", ref + ":" + ref});
  copy.git({"stash", "apply", "-q", "--index", ref});
  EXPECT_EQ(read_text(copy.path() / "README.md"), "changed, not staged\n");
  EXPECT_EQ(read_text(copy.path() / "src/main.c"), "staged\n");
  EXPECT_EQ(read_text(copy.path() / "added.txt"), "new and staged\n");
  EXPECT_FALSE(fs::exists(copy.path() / "Makefile"));
}

TEST_F(Release, DiscardDropsTheDirtButKeepsCommits) {
  const auto tip = Repo(slot).commit("work.txt", "work\n");
  write_text(slot / "README.md", "dirt\n");
  world.release("x", {"--discard"});
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  for (const auto& ref : repo.trash_refs()) EXPECT_FALSE(ref.ends_with("/work")) << ref;
  EXPECT_EQ(repo.git({"rev-parse", trash_ref_ending("/heads/x")}), tip);
}

TEST_F(Release, RefuseDirtyLeavesADirtySlotHeld) {
  write_text(slot / "README.md", "dirt\n");
  const auto outcome = world.wtpool({"release", "x", "--refuse-dirty"});
  EXPECT_EQ(outcome.code, 11) << outcome;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(world.state_of("slot-0"), "held");
  EXPECT_EQ(flat_yaml(read_text(marker_of(slot))).at("state"), "held");
  EXPECT_EQ(read_text(slot / "README.md"), "dirt\n");
  EXPECT_TRUE(repo.has_branch("x"));
  git(slot, {"checkout", "-q", "README.md"});
  EXPECT_EQ(world.wtpool({"release", "x", "--refuse-dirty", "--wait"}).code, 0);
}

TEST_F(Release, RefuseDirtyCountsCommitsAndNewUntrackedFiles) {
  write_text(slot / "new.txt", "new\n");
  EXPECT_EQ(world.wtpool({"release", "x", "--refuse-dirty"}).code, 11);
  git(slot, {"add", "new.txt"});
  git(slot, {"commit", "-q", "-m", "work"});
  EXPECT_EQ(world.wtpool({"release", "x", "--refuse-dirty"}).code, 11);
  git(slot, {"reset", "-q", "--hard", "HEAD~1"});
  EXPECT_EQ(world.wtpool({"release", "x", "--refuse-dirty"}).code, 0);
}

TEST_F(Release, RefuseDirtyDoesNotCountWhatAnEarlierHolderLeft) {
  write_text(slot / "left.txt", "left\n");
  world.release("x");
  world.acquire("y");
  EXPECT_EQ(world.wtpool({"release", "y", "--refuse-dirty", "--wait"}).code, 0);
  world.acquire("z");
  write_text(slot / "left.txt", "changed by z\n");
  EXPECT_EQ(world.wtpool({"release", "z", "--refuse-dirty"}).code, 11);
}

TEST_F(Release, OnDirtyInTheConfigIsTheDefaultOfIt) {
  const auto file = world.root() / "app/.meta/config.yaml";
  auto text = read_text(file);
  const auto at = text.find("on_dirty:");
  if (at != std::string::npos) text.erase(at, text.find('\n', at) - at + 1);
  write_text(file, text + "on_dirty: refuse\n");
  write_text(slot / "README.md", "dirt\n");
  EXPECT_EQ(world.wtpool({"release", "x"}).code, 11);
  EXPECT_EQ(world.wtpool({"release", "x", "--discard", "--wait"}).code, 0);
}

TEST_F(Release, LeavesARemoteBranchAloneUnlessAskedTo) {
  const auto origin = Repo::make_bare(world.dir() / "origin.git", repo);
  repo.git({"remote", "add", "origin", origin.path().string()});
  git(slot, {"push", "-q", "origin", "x"});
  world.release("x");
  EXPECT_TRUE(origin.has_branch("x"));
  const auto again = world.acquire("y");
  git(again, {"push", "-q", "origin", "y"});
  world.release("y", {"--delete-remote"});
  EXPECT_TRUE(wait_until([&] { return !origin.has_branch("y"); }));
  EXPECT_TRUE(origin.has_branch("x"));
}

TEST_F(Release, TakesTheBranchsSectionOutOfTheSourcesConfig) {
  const auto before = read_text(repo.path() / ".git/config");
  git(slot, {"config", "branch.x.remote", "origin"});
  git(slot, {"config", "branch.x.merge", "refs/heads/x"});
  world.release("x");
  EXPECT_EQ(repo.try_git({"config", "--get-regexp", "^branch\\.x\\."}).code, 1);
  EXPECT_EQ(trimmed(read_text(repo.path() / ".git/config")), trimmed(before));
}

TEST_F(Release, OfAHeldSlotWhoseDirectoryIsGoneWorks) {
  const auto tip = Repo(slot).commit("work.txt", "work\n");
  fs::remove_all(slot);
  const auto outcome = world.wtpool({"release", "x", "--wait"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_FALSE(repo.has_branch("x"));
  EXPECT_EQ(repo.git({"rev-parse", trash_ref_ending("/heads/x")}), tip);
  EXPECT_TRUE(world.wait_for_state("slot-0", "fresh"));
  EXPECT_EQ(world.acquire("y"), slot);
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(Release, RefuseDirtyAndDiscardTogetherAreWrongUsage) {
  EXPECT_EQ(world.wtpool({"release", "x", "--refuse-dirty", "--discard"}).code, 2);
  EXPECT_EQ(world.state_of("slot-0"), "held");
}

TEST_F(Release, SavesADirtyTreeTwiceAsOneEntryWhenItIsTheSame) {
  write_text(slot / "README.md", "the same dirt\n");
  world.release("x");
  world.acquire("x2");
  write_text(slot / "README.md", "the same dirt\n");
  world.release("x2");
  std::size_t works = 0;
  for (const auto& ref : repo.trash_refs()) works += ref.ends_with("/work");
  EXPECT_EQ(works, 1u);
}

// What the last holder left half-done must not be the next one's.
class Recycle : public Release {
 protected:
  void expect_clean_for_the_next() {
    world.release("x");
    ASSERT_EQ(world.acquire("next"), slot);
    const auto status = git(slot, {"status"});
    EXPECT_NE(status.find("nothing to commit, working tree clean"), std::string::npos) << status;
    EXPECT_EQ(status.find("in progress"), std::string::npos) << status;
    EXPECT_EQ(status.find("currently"), std::string::npos) << status;
    for (const auto* left :
         {"rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "BISECT_LOG", "BISECT_START",
          "sequencer", "AUTO_MERGE", "MERGE_MSG", "ORIG_HEAD", "refs/bisect", "refs/worktree", "index.lock"}) {
      EXPECT_FALSE(fs::exists(gitdir_of(slot) / left)) << left;
    }
    EXPECT_EQ(git(slot, {"for-each-ref", "refs/bisect", "refs/worktree"}), "");
    EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), repo.head());
  }
  // Two commits of the slot that cannot be merged: HEAD, and `other`.
  std::string make_conflict() {
    const Repo work(slot);
    git(slot, {"switch", "-q", "-c", "side"});
    auto other = work.commit("README.md", "theirs\n");
    git(slot, {"switch", "-q", "x"});
    work.commit("README.md", "ours\n");
    return other;
  }
};

TEST_F(Recycle, NothingIsSeenOfARebase) {
  const auto other = make_conflict();
  EXPECT_NE(try_git(slot, {"rebase", "side"}).code, 0);
  ASSERT_TRUE(fs::exists(gitdir_of(slot) / "rebase-merge"));
  expect_clean_for_the_next();
}

TEST_F(Recycle, NothingIsSeenOfAMerge) {
  const auto other = make_conflict();
  EXPECT_NE(try_git(slot, {"merge", other}).code, 0);
  ASSERT_TRUE(fs::exists(gitdir_of(slot) / "MERGE_HEAD"));
  expect_clean_for_the_next();
}

TEST_F(Recycle, NothingIsSeenOfACherryPick) {
  const auto other = make_conflict();
  EXPECT_NE(try_git(slot, {"cherry-pick", other}).code, 0);
  ASSERT_TRUE(fs::exists(gitdir_of(slot) / "CHERRY_PICK_HEAD"));
  expect_clean_for_the_next();
}

TEST_F(Recycle, NothingIsSeenOfARevert) {
  const Repo work(slot);
  const auto first = work.commit("README.md", "first\n");
  work.commit("README.md", "second\n");
  EXPECT_NE(try_git(slot, {"revert", "--no-edit", first}).code, 0);
  expect_clean_for_the_next();
}

TEST_F(Recycle, NothingIsSeenOfABisect) {
  const Repo work(slot);
  for (int number = 0; number < 4; ++number) work.commit("README.md", std::to_string(number));
  git(slot, {"bisect", "start", "HEAD", "HEAD~4"});
  expect_clean_for_the_next();
}

TEST_F(Recycle, RefsOfTheWorktreeAloneAreGone) {
  git(slot, {"update-ref", "refs/worktree/mine", "HEAD"});
  expect_clean_for_the_next();
}

TEST_F(Recycle, AStaleIndexLockIsGone) {
  write_text(gitdir_of(slot) / "index.lock", "");
  expect_clean_for_the_next();
}

TEST_F(Recycle, WorkUnderAssumeUnchangedIsSavedAndTheBitCleared) {
  git(slot, {"update-index", "--assume-unchanged", "README.md"});
  git(slot, {"update-index", "--skip-worktree", "src/main.c"});
  write_text(slot / "README.md", "hidden work\n");
  write_text(slot / "src/main.c", "hidden too\n");
  ASSERT_EQ(git(slot, {"status", "--porcelain"}), "");
  expect_clean_for_the_next();
  EXPECT_EQ(read_text(slot / "README.md"), "A repository.\n");
  EXPECT_EQ(git(slot, {"ls-files", "-v"}).find("h "), std::string::npos);
  const auto ref = trash_ref_ending("/work");
  EXPECT_EQ(repo.git({"show", ref + ":README.md"}), "hidden work");
  EXPECT_EQ(repo.git({"show", ref + ":src/main.c"}), "hidden too");
}

TEST_F(Recycle, ANestedRepositoryIsNeverRemoved) {
  const auto nested = Repo::make(slot / "nested");
  const auto head = nested.head();
  world.release("x", {"--discard"});
  EXPECT_EQ(nested.head(), head);
  EXPECT_EQ(world.state_of("slot-0"), "idle");
}

TEST_F(Recycle, NothingFollowsASymlinkOutOfTheSlot) {
  write_text(world.dir() / "outside/src/main.c", "outside\n");
  fs::remove_all(slot / "src");
  fs::create_directory_symlink(world.dir() / "outside/src", slot / "src");
  expect_clean_for_the_next();
  EXPECT_EQ(read_text(world.dir() / "outside/src/main.c"), "outside\n");
  EXPECT_FALSE(fs::is_symlink(slot / "src"));
}

}  // namespace
}  // namespace wtpool::test
