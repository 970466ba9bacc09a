// An idle slot is nobody's, and yet people go in and work there. What they did is kept, and the next holder sees nothing of it.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Strangers : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(world.dir() / "config/wtpool");
    write_text(world.dir() / "config/wtpool/wtpoold.yaml", "seal: false\n");
    world.start_daemon();
    world.init(repo, {"--max-slots", "2"});
    slot = world.acquire("before");
    world.release("before");
  }
  [[nodiscard]] std::string commit_in_slot() const {
    write_text(slot / "README.md", "somebody's\n");
    git(slot, {"commit", "-q", "-a", "-m", "somebody's"});
    return git(slot, {"rev-parse", "HEAD"});
  }
  void stop_in_a_rebase() const {
    repo.commit("README.md", "upstream\n");
    (void)commit_in_slot();
    write_text(slot / "Makefile", "dirt\n");
    EXPECT_NE(try_git(slot, {"rebase", "--autostash", "main"}).code, 0);
  }
  [[nodiscard]] bool keeps_the_stash() const {
    const auto refs = repo.trash_refs();
    return std::any_of(refs.begin(), refs.end(), [&](const auto& ref) {
      return ref.find("/autostash/") != std::string::npos && repo.git({"show", ref + ":Makefile"}) == "dirt";
    });
  }
  void expect_given_clean(const std::string& name, const std::string& said) const {
    const auto outcome = world.wtpool({"acquire", name});
    EXPECT_EQ(outcome.code, 0) << outcome;
    EXPECT_EQ(trimmed(outcome.out), slot.string());
    EXPECT_NE(outcome.err.find(said), std::string::npos) << outcome;
    EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), repo.head());
    EXPECT_EQ(git(slot, {"symbolic-ref", "--short", "HEAD"}), name);
    EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
};

TEST_F(Strangers, TheBranchTheySwitchedToStaysWhereItIs) {
  git(slot, {"switch", "-q", "-c", "topic"});
  const auto tip = commit_in_slot();
  expect_given_clean("x", "topic");
  EXPECT_EQ(repo.git({"rev-parse", "refs/heads/topic"}), tip);
  world.release("x");
  EXPECT_EQ(repo.git({"rev-parse", "refs/heads/topic"}), tip);
  EXPECT_TRUE(repo.trash_refs().empty());
}

TEST_F(Strangers, ACommitOnNoBranchIsKept) {
  const auto made = commit_in_slot();
  expect_given_clean("x", "commit");
  const auto refs = repo.trash_refs();
  ASSERT_EQ(refs.size(), 1u);
  EXPECT_TRUE(refs.front().ends_with("/head")) << refs.front();
  EXPECT_EQ(repo.git({"rev-parse", refs.front()}), made);
  world.release("x");
  world.acquire("y");
  EXPECT_EQ(repo.trash_refs(), refs) << "it is kept once";
}

TEST_F(Strangers, WhereTheyLeftTheSlotAtACommitOfABranchNothingIsKept) {
  const auto first = repo.head();
  repo.commit("a.txt", "a");
  const auto second = repo.commit("a.txt", "b");
  git(slot, {"checkout", "-q", "--detach", "main~1"});
  EXPECT_EQ(world.acquire("x", {"--commit", first}), slot);
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), first);
  world.release("x");
  EXPECT_EQ(world.acquire("y"), slot);
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), second);
  EXPECT_TRUE(repo.trash_refs().empty());
}

TEST_F(Strangers, ACommitThatAHolderNamedByItsIdAloneIsNoStrangers) {
  const auto tree = repo.git({"rev-parse", "HEAD^{tree}"});
  const auto loose = repo.git({"commit-tree", "-p", "HEAD", "-m", "loose", tree});
  EXPECT_EQ(world.acquire("x", {"--commit", loose}), slot);
  world.release("x");
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), loose);
  EXPECT_EQ(world.acquire("y"), slot);
  EXPECT_TRUE(repo.trash_refs().empty());
}

TEST_F(Strangers, TheStashOfARebaseThatDidNotEndIsKept) {
  stop_in_a_rebase();
  const auto outcome = world.wtpool({"acquire", "x"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_TRUE(keeps_the_stash());
}

TEST_F(Strangers, TheStashOfARebaseThatDidNotEndIsKeptWhenTheSlotIsRemoved) {
  stop_in_a_rebase();
  const auto outcome = world.wtpool({"remove", "slot-0"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_FALSE(fs::exists(slot));
  EXPECT_TRUE(keeps_the_stash()) << outcome;
}

TEST_F(Strangers, TheirLocksInTheSourceStayAndKeepNoSlot) {
  const auto config_lock = repo.path() / ".git/config.lock";
  const auto ref_lock = repo.path() / ".git/refs/heads/zzz.lock";
  for (const auto age : {0h, 1h}) {
    EXPECT_EQ(world.acquire("p"), slot);
    git(slot, {"config", "branch.p.remote", "origin"});
    for (const auto& lock : {config_lock, ref_lock}) {
      write_text(lock, "");
      fs::last_write_time(lock, fs::file_time_type::clock::now() - age);
    }
    const auto outcome = world.wtpool({"release", "p", "--wait"});
    EXPECT_EQ(outcome.code, 0) << outcome;
    EXPECT_NE(outcome.err.find("branch.p"), std::string::npos) << outcome;
    EXPECT_TRUE(fs::exists(config_lock));
    EXPECT_TRUE(fs::exists(ref_lock));
    EXPECT_EQ(world.state_of("slot-0"), "idle");
    fs::remove(config_lock);
    fs::remove(ref_lock);
  }
}

TEST_F(Strangers, ALockInASlotThatTheyTookAwayIsTheirs) {
  const auto entry = gitdir_of(slot);
  repo.git({"worktree", "unlock", slot.string()});
  repo.git({"worktree", "move", slot.string(), (world.dir() / "mine").string()});
  write_text(entry / "index.lock", "their git runs");
  const auto outcome = world.wtpool({"acquire", "x"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(git(trimmed(outcome.out), {"symbolic-ref", "HEAD"}), "refs/heads/x") << "another slot, or this one made anew";
  EXPECT_EQ(read_text(entry / "index.lock"), "their git runs");
}

}  // namespace
}  // namespace wtpool::test
