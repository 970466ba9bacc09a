// Work that stands in a slot's entry alone, and in nothing else of the source: commits of its HEAD, its index, git's own
// stashes. Whatever takes the entry away keeps it first.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class EntryWork : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo);
  }
  void restart() {
    world.kill_daemon();
    world.environment.erase("WTPOOL_FAILPOINT");
    world.start_daemon();
  }
  void restart_with(const std::string& failpoint) {
    world.stop_daemon();
    world.environment["WTPOOL_FAILPOINT"] = failpoint;
    world.start_daemon();
  }
  // A commit that nothing but the slot's HEAD leads to.
  [[nodiscard]] static std::string lone_commit(const fs::path& slot) {
    git(slot, {"checkout", "-q", "--detach"});
    return Repo(slot).commit("lone.txt", "made by a shell that was still there\n");
  }
  [[nodiscard]] std::string leading_to(const std::string& commit) const {
    return repo.git({"for-each-ref", "--format=%(refname)", "--contains", commit});
  }
  void expect_kept(const std::string& commit) const {
    EXPECT_TRUE(leading_to(commit).starts_with("refs/wtpool/trash/")) << leading_to(commit);
    EXPECT_TRUE(leading_to(commit).ends_with("/head")) << leading_to(commit);
    EXPECT_EQ(repo.complaint(), "");
  }
  [[nodiscard]] std::string kept(const std::string& ending) const {
    for (const auto& ref : repo.trash_refs()) {
      if (ref.ends_with(ending)) return ref;
    }
    return {};
  }
  // Of two branches that changed one file, merged in the slot: one conflict is left, of README.md, and src/main.c is resolved.
  [[nodiscard]] fs::path slot_in_a_merge() const {
    const auto slot = world.acquire("x");
    const Repo work(slot);
    const auto base = work.head();
    git(slot, {"checkout", "-q", "--detach"});
    write_text(slot / "src/main.c", "theirs\n");
    const auto theirs = [&] {
      git(slot, {"add", "src/main.c"});
      return work.commit("README.md", "theirs\n");
    }();
    repo.git({"branch", "theirs", theirs});
    git(slot, {"checkout", "-q", "x"});
    write_text(slot / "src/main.c", "ours\n");
    git(slot, {"add", "src/main.c"});
    work.commit("README.md", "ours\n");
    EXPECT_NE(try_git(slot, {"merge", "theirs"}).code, 0);
    write_text(slot / "src/main.c", "resolved\n");
    git(slot, {"add", "src/main.c"});
    return slot;
  }
  World world;
  Repo repo = world.make_repo();
};

TEST_F(EntryWork, ACommitMadeInAnIdleSlotIsKeptWhenTheSlotIsRemoved) {
  const auto slot = world.acquire("x");
  world.release("x");
  const auto commit = lone_commit(slot);
  // Another worktree's HEAD leads to it for as long as it stays there, and keeps nothing.
  repo.git({"worktree", "add", "-q", "--detach", (world.dir() / "mine").string(), commit});
  const auto outcome = world.wtpool({"remove", "slot-0"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_FALSE(fs::exists(slot));
  expect_kept(commit);
}

TEST_F(EntryWork, ACommitMadeInAnIdleSlotIsKeptWhenThePoolIsRemoved) {
  const auto slot = world.acquire("x");
  world.release("x");
  const auto commit = lone_commit(slot);
  const auto outcome = world.wtpool({"remove", "--pool", "app"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  expect_kept(commit);
}

TEST_F(EntryWork, ACommitThatABranchLeadsToIsNotKeptTwice) {
  const auto slot = world.acquire("x");
  world.release("x");
  repo.git({"branch", "named", lone_commit(slot)});
  EXPECT_EQ(world.wtpool({"remove", "slot-0"}).code, 0);
  EXPECT_TRUE(repo.trash_refs().empty());
}

TEST_F(EntryWork, ACommitMadeInAnIdleSlotIsKeptWhenTheSlotIsForgotten) {
  const auto slot = world.acquire("x");
  world.release("x");
  const auto commit = lone_commit(slot);
  world.stop_daemon();
  fs::remove_all(slot);
  world.start_daemon();
  const auto outcome = world.wtpool({"doctor", "--repair"});
  EXPECT_FALSE(fs::exists(repo.path() / ".git/worktrees/slot-0")) << outcome;
  expect_kept(commit);
}

TEST_F(EntryWork, ACommitOfATornEntryIsKeptWhenItIsForgotten) {
  const auto slot = world.acquire("x");
  world.release("x");
  const auto commit = lone_commit(slot);
  world.stop_daemon();
  write_text(gitdir_of(slot) / "commondir", "");
  fs::remove_all(slot);
  world.start_daemon();
  const auto outcome = world.wtpool({"doctor", "--repair"});
  EXPECT_FALSE(fs::exists(repo.path() / ".git/worktrees/slot-0")) << outcome;
  expect_kept(commit);
}

TEST_F(EntryWork, ACommitIsKeptWhenASlotWithAnUnreadableMarkerIsRepaired) {
  const auto slot = world.acquire("x");
  const auto commit = lone_commit(slot);
  world.stop_daemon();
  write_text(marker_of(slot), std::string(100, '\0'));
  world.start_daemon();
  const auto outcome = world.wtpool({"repair", "slot-0"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  expect_kept(commit);
}

TEST_F(EntryWork, ACommitOfATornEntryIsKeptBeforeTheEntryIsMovedAside) {
  const auto slot = world.acquire("x");
  world.release("x");
  const auto commit = lone_commit(slot);
  const auto entry = gitdir_of(slot);
  write_text(entry / "commondir", "");
  fs::remove(slot / ".git");  // else it would be known whose entry it is
  restart_with("repair.head-kept:kill");
  EXPECT_NE(world.wtpool({"repair", "slot-0"}).code, 0);
  EXPECT_TRUE(leading_to(commit).ends_with("/head")) << leading_to(commit);
  EXPECT_TRUE(fs::exists(entry)) << "kept first, and moved after that";
  restart();
  const auto outcome = world.wtpool({"repair", "slot-0"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_FALSE(fs::exists(entry));
  expect_kept(commit);
}

TEST_F(EntryWork, WhatWasResolvedInAHalfDoneMergeIsKeptWhenTheDirectoryIsGone) {
  const auto slot = slot_in_a_merge();
  fs::remove_all(slot);
  const auto outcome = world.wtpool({"release", "x", "--wait"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  ASSERT_NE(kept("/work"), "");
  EXPECT_EQ(repo.git({"show", kept("/work") + ":src/main.c"}), "resolved");
  EXPECT_EQ(repo.git({"show", kept("/work") + ":README.md"}), "ours") << "of a conflict, our side";
  EXPECT_EQ(repo.git({"show", kept("/work") + "^2:src/main.c"}), "resolved") << "the shape of a stash";
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(EntryWork, ARecoveryKeepsItAsWell) {
  restart_with("release.refs-settled:kill");
  const auto slot = slot_in_a_merge();
  fs::remove_all(slot);
  EXPECT_NE(world.wtpool({"release", "x", "--wait"}).code, 0);
  EXPECT_EQ(kept("/work"), "");
  restart();
  EXPECT_TRUE(world.wait_for_state("slot-0", "fresh"));
  ASSERT_NE(kept("/work"), "");
  EXPECT_EQ(repo.git({"show", kept("/work") + ":src/main.c"}), "resolved");
}

TEST_F(EntryWork, NothingIsDestroyedWhileThereIsNoSpaceToKeepIt) {
  world.stop_daemon();
  const auto flag = world.dir() / "full";
  const auto shim = world.dir() / "shim/git";
  write_text(shim, "#!/bin/sh\nif [ -e " + flag.string() +
                       " ]; then for each; do if [ \"$each\" = write-tree ]; then echo 'fatal: cannot write: No space left on "
                       "device' >&2; exit 128; fi; done; fi\nPATH=${PATH#*:}\nexec git \"$@\"\n");
  fs::permissions(shim, fs::perms::owner_all);
  world.environment["PATH"] = shim.parent_path().string() + ":" + std::string(::getenv("PATH"));
  world.start_daemon();
  const auto slot = slot_in_a_merge();
  const auto entry = gitdir_of(slot);
  fs::remove_all(slot);
  write_text(flag, "");
  EXPECT_NE(world.wtpool({"release", "x", "--wait"}).code, 0);
  EXPECT_TRUE(fs::exists(entry / "index"));
  fs::remove(flag);
  const auto outcome = world.wtpool({"release", "x", "--wait"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_FALSE(fs::exists(entry));
  ASSERT_NE(kept("/work"), "");
  EXPECT_EQ(repo.git({"show", kept("/work") + ":src/main.c"}), "resolved");
}

TEST_F(EntryWork, AnIndexThatGitCannotReadIsKeptAsAFile) {
  const auto slot = world.acquire("x");
  const auto entry = gitdir_of(slot);
  const std::string damaged = "what a power cut left of an index";
  write_text(entry / "index", damaged);
  fs::remove_all(slot);
  const auto outcome = world.wtpool({"release", "x", "--wait"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_FALSE(fs::exists(entry));
  const auto entries = world.json_of({"trash", "ls"});
  ASSERT_EQ(entries.size(), 1u);
  const auto id = entries[0]["id"].get<std::string>();
  EXPECT_EQ(read_text(world.root() / "app/.meta/trash" / id / "index"), damaged);
}

TEST_F(EntryWork, WhatGitStashedForARebaseIsKeptWhenTheDirectoryIsGone) {
  const auto slot = slot_in_a_merge();
  git(slot, {"merge", "--abort"});
  write_text(slot / "Makefile", "all: # not committed\n");
  EXPECT_NE(try_git(slot, {"rebase", "--autostash", "theirs"}).code, 0);
  fs::remove_all(slot);
  const auto outcome = world.wtpool({"release", "x", "--wait"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  ASSERT_NE(kept("/autostash/0"), "");
  EXPECT_EQ(repo.git({"show", kept("/autostash/0") + ":Makefile"}), "all: # not committed");
}

}  // namespace
}  // namespace wtpool::test
