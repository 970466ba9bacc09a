// Submodules that a holder filled by hand: git keeps their repositories in the slot's entry, and says nothing of what is
// changed in them.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Submodules : public ::testing::Test {
 protected:
  void SetUp() override {
    repo.git({"-c", "protocol.file.allow=always", "submodule", "--quiet", "add", sub.path().string(), "sm"});
    repo.git({"commit", "-q", "-m", "a submodule"});
    world.start_daemon();
    world.init(repo);
  }
  static void fill(const fs::path& slot) {
    git(slot, {"-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init"});
  }
  [[nodiscard]] fs::path filled(const std::string& name) const {
    const auto slot = world.acquire(name);
    fill(slot);
    return slot;
  }
  static std::string commit_in(const fs::path& submodule) { return Repo(submodule).commit("made.txt", "by a holder\n"); }
  static void back_to(const fs::path& submodule, const std::string& commit) {
    git(submodule, {"checkout", "-q", "--detach", commit});
  }
  [[nodiscard]] fs::path trash() const { return world.root() / "app/.meta/trash"; }
  // Where something of that name is kept, relative to its entry in the trash.
  [[nodiscard]] std::vector<fs::path> kept(const std::string& name) const {
    std::vector<fs::path> found;
    if (!fs::exists(trash())) return found;
    for (const auto& each : fs::recursive_directory_iterator(trash())) {
      if (each.path().filename() == name) found.push_back(each.path());
    }
    return found;
  }
  // By the repository that is kept, whoever reads it.
  void expect_commit_kept(const std::string& commit) const {
    int holding = 0;
    for (const auto& modules : kept("modules")) {
      const auto outcome = try_git(world.dir(), {"--git-dir=" + (modules / "sm").string(), "cat-file", "-e", commit});
      if (outcome.code == 0) ++holding;
    }
    EXPECT_EQ(holding, 1) << commit;
    EXPECT_FALSE(world.json_of({"trash", "ls"}).empty());
  }
  void expect_refused_as_dirty(const std::string& name, const std::string& word) const {
    const auto outcome = world.wtpool({"release", name, "--refuse-dirty", "--wait"});
    EXPECT_EQ(outcome.code, 11) << outcome;
    EXPECT_NE(outcome.err.find(word), std::string::npos) << outcome;
    EXPECT_EQ(world.state_of("slot-0"), "held");
  }
  World world;
  Repo repo = world.make_repo();
  Repo sub = world.make_repo("sub");
};

TEST_F(Submodules, ACommitInOneIsKeptWhenTheSlotIsRemoved) {
  const auto slot = filled("x");
  const auto commit = commit_in(slot / "sm");
  back_to(slot / "sm", sub.head());
  world.release("x");
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  EXPECT_TRUE(fs::exists(slot / "sm/README.md"));
  const auto outcome = world.wtpool({"remove", "slot-0"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("kept as"), std::string::npos) << outcome;
  EXPECT_FALSE(fs::exists(slot));
  EXPECT_FALSE(fs::exists(repo.path() / ".git/worktrees"));
  expect_commit_kept(commit);
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(Submodules, ACommitInOneIsKeptWhenThePoolIsRemoved) {
  const auto slot = filled("x");
  const auto commit = commit_in(slot / "sm");
  back_to(slot / "sm", sub.head());
  world.release("x");
  const auto outcome = world.wtpool({"remove", "--pool", "app"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("kept as"), std::string::npos) << outcome;
  int holding = 0;
  for (const auto& modules : kept("modules"))
    holding += try_git(world.dir(), {"--git-dir=" + (modules / "sm").string(), "cat-file", "-e", commit}).code == 0 ? 1 : 0;
  EXPECT_EQ(holding, 1);
}

TEST_F(Submodules, WhatIsKeptOfOneCanBeFetched) {
  const auto slot = filled("x");
  const auto commit = commit_in(slot / "sm");
  world.release("x");
  const auto modules = kept("modules");
  ASSERT_EQ(modules.size(), 1u);
  sub.git({"fetch", "-q", (modules.front() / "sm").string(), "HEAD"});
  EXPECT_EQ(sub.git({"rev-parse", "FETCH_HEAD"}), commit);
}

TEST_F(Submodules, ACommitInOneIsKeptWhenTheDirectoryOfAHeldSlotIsGone) {
  const auto slot = filled("x");
  const auto commit = commit_in(slot / "sm");
  fs::remove_all(slot);
  const auto outcome = world.wtpool({"release", "x", "--wait"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("kept as"), std::string::npos) << outcome;
  EXPECT_EQ(world.state_of("slot-0"), "fresh");
  expect_commit_kept(commit);
}

TEST_F(Submodules, ACommitInOneIsKeptWhenTheReleaseOfAGoneDirectoryIsCutOff) {
  world.stop_daemon();
  world.environment["WTPOOL_FAILPOINT"] = "release.staged-kept:kill";
  world.start_daemon();
  const auto slot = filled("x");
  const auto commit = commit_in(slot / "sm");
  fs::remove_all(slot);
  (void)world.wtpool({"release", "x", "--wait"});
  world.kill_daemon();
  world.environment.erase("WTPOOL_FAILPOINT");
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "fresh"));
  expect_commit_kept(commit);
}

TEST_F(Submodules, ACommitInOneIsKeptWhenTheRemovalIsCutOff) {
  world.stop_daemon();
  world.environment["WTPOOL_FAILPOINT"] = "remove.renamed:kill";
  world.start_daemon();
  const auto slot = filled("x");
  const auto commit = commit_in(slot / "sm");
  back_to(slot / "sm", sub.head());
  world.release("x");
  (void)world.wtpool({"remove", "slot-0"});
  world.kill_daemon();
  world.environment.erase("WTPOOL_FAILPOINT");
  world.start_daemon();
  EXPECT_TRUE(wait_until([&] { return !fs::exists(repo.path() / ".git/worktrees/slot-0"); }));
  expect_commit_kept(commit);
}

TEST_F(Submodules, ACommitInOneIsKeptWhenTheEntryIsForgotten) {
  const auto slot = filled("x");
  const auto commit = commit_in(slot / "sm");
  back_to(slot / "sm", sub.head());
  world.release("x");
  world.stop_daemon();
  fs::remove_all(slot);
  world.start_daemon();
  const auto outcome = world.wtpool({"doctor", "--repair"});
  EXPECT_FALSE(fs::exists(repo.path() / ".git/worktrees/slot-0")) << outcome;
  expect_commit_kept(commit);
}

TEST_F(Submodules, ACommitInOneIsKeptWhenItsEntryIsTorn) {
  const auto slot = filled("x");
  const auto commit = commit_in(slot / "sm");
  back_to(slot / "sm", sub.head());
  world.release("x");
  world.stop_daemon();
  write_text(gitdir_of(slot) / "commondir", "");
  fs::remove_all(slot);
  world.start_daemon();
  const auto outcome = world.wtpool({"doctor", "--repair"});
  EXPECT_FALSE(fs::exists(repo.path() / ".git/worktrees/slot-0")) << outcome;
  world.acquire("y");  // empties what was set aside under that name
  world.release("y");
  EXPECT_EQ(world.wtpool({"remove", "slot-0"}).code, 0);
  expect_commit_kept(commit);
}

TEST_F(Submodules, OneThatStandsElsewhereIsSetAsideAndTheSlotIsIdle) {
  const auto slot = filled("x");
  const auto commit = commit_in(slot / "sm");
  const auto outcome = world.wtpool({"release", "x", "--wait"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("submodule sm"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find("kept as"), std::string::npos) << outcome;
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  expect_commit_kept(commit);
  EXPECT_EQ(kept("made.txt").size(), 1u);
  EXPECT_TRUE(fs::is_empty(slot / "sm"));
  // The next holder finds it as in a new slot.
  EXPECT_EQ(world.acquire("y"), slot);
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  fill(slot);
  EXPECT_EQ(Repo(slot / "sm").head(), sub.head());
  const auto clean = world.wtpool({"release", "y", "--refuse-dirty", "--wait"});
  EXPECT_EQ(clean.code, 0) << clean;
  EXPECT_EQ(world.wtpool({"remove", "slot-0"}).code, 0);
}

TEST_F(Submodules, OneIsSetAsideWholeAlsoWhenTheDaemonIsKilledBetweenItsTwoParts) {
  world.stop_daemon();
  world.environment["WTPOOL_FAILPOINT"] = "submodules.repository-aside:kill";
  world.start_daemon();
  const auto slot = filled("x");
  const auto commit = commit_in(slot / "sm");
  EXPECT_EQ(world.wtpool({"release", "x"}).code, 0);
  world.daemon().wait();
  world.environment.erase("WTPOOL_FAILPOINT");
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle")) << world.state_of("slot-0");
  expect_commit_kept(commit);
  EXPECT_EQ(kept("made.txt").size(), 1u);
  EXPECT_TRUE(fs::is_empty(slot / "sm"));
}

TEST_F(Submodules, OneWhoseRepositoryIsGoneKeepsNoSlot) {
  const auto slot = filled("x");
  write_text(slot / "sm/made.txt", "by a holder\n");
  fs::remove_all(gitdir_of(slot) / "modules");
  world.release("x");
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  EXPECT_EQ(kept("made.txt").size(), 1u);
  EXPECT_TRUE(fs::is_empty(slot / "sm"));
}

TEST_F(Submodules, OneWhoseNewCommitWasRecordedIsSetAside) {
  const auto slot = filled("x");
  const auto commit = commit_in(slot / "sm");
  git(slot, {"commit", "-q", "-a", "-m", "the submodule's new commit"});
  const auto outcome = world.wtpool({"release", "x", "--wait"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  EXPECT_EQ(repo.trash_refs().size(), 1u);
  expect_commit_kept(commit);
}

TEST_F(Submodules, ChangesInOneAreKeptAndDoNotMeetTheNextHolder) {
  const auto slot = filled("x");
  write_text(slot / "sm/README.md", "changed\n");
  write_text(slot / "sm/new.txt", "new\n");
  world.release("x");
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  EXPECT_EQ(kept("new.txt").size(), 1u);
  EXPECT_TRUE(fs::is_empty(slot / "sm"));
}

TEST_F(Submodules, ChangesMadeInOneOfAnIdleSlotAreKeptWhenItIsRemoved) {
  const auto slot = filled("x");
  world.release("x");
  write_text(slot / "sm/new.txt", "new\n");
  const auto outcome = world.wtpool({"remove", "slot-0"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("kept as"), std::string::npos) << outcome;
  EXPECT_EQ(kept("new.txt").size(), 1u);
}

TEST_F(Submodules, OneThatSomebodyMovedInAnIdleSlotIsSetAsideForTheNextHolder) {
  const auto slot = filled("x");
  world.release("x");
  const auto commit = commit_in(slot / "sm");
  const auto outcome = world.wtpool({"acquire", "y"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("submodule sm"), std::string::npos) << outcome;
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  EXPECT_TRUE(fs::is_empty(slot / "sm"));
  expect_commit_kept(commit);
}

TEST_F(Submodules, OneThatIsBehindTheCommitOfTheSlotIsSetAside) {
  const auto slot = filled("x");
  world.release("x");
  sub.commit("newer.txt", "newer\n");
  repo.git({"-C", "sm", "pull", "-q"});
  repo.git({"commit", "-q", "-a", "-m", "newer"});
  EXPECT_EQ(world.acquire("y"), slot);
  world.release("y");
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  EXPECT_TRUE(fs::is_empty(slot / "sm"));
  EXPECT_EQ(world.acquire("z"), slot);
  fill(slot);
  EXPECT_TRUE(fs::exists(slot / "sm/newer.txt"));
}

TEST_F(Submodules, OneThatIsUntouchedStaysFilledAndIsNotDirty) {
  const auto slot = filled("x");
  const auto outcome = world.wtpool({"release", "x", "--refuse-dirty", "--wait"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_TRUE(fs::exists(slot / "sm/README.md"));
  EXPECT_FALSE(fs::exists(trash()));
}

TEST_F(Submodules, ChangesInOneAreDirt) {
  const auto slot = filled("x");
  write_text(slot / "sm/README.md", "changed\n");
  expect_refused_as_dirty("x", "submodule");
}

TEST_F(Submodules, ANewFileInOneIsDirt) {
  const auto slot = filled("x");
  write_text(slot / "sm/new.txt", "new\n");
  expect_refused_as_dirty("x", "submodule");
}

TEST_F(Submodules, OneThatMovedIsDirt) {
  const auto slot = filled("x");
  commit_in(slot / "sm");
  expect_refused_as_dirty("x", "sm");
}

TEST_F(Submodules, AChangeThatItsIndexHidesIsDirt) {
  const auto slot = filled("x");
  git(slot / "sm", {"update-index", "--assume-unchanged", "README.md"});
  write_text(slot / "sm/README.md", "changed\n");
  expect_refused_as_dirty("x", "submodule");
}

TEST_F(Submodules, NothingThatTheConfigurationOfOneNamesIsRun) {
  const auto slot = filled("x");
  const auto ran = world.dir() / "ran";
  const auto script = world.dir() / "script";
  write_text(script, "#!/bin/sh\ntouch " + ran.string() + "\ncat\n");
  fs::permissions(script, fs::perms::owner_all);
  const auto modules = gitdir_of(slot) / "modules/sm";
  write_text(modules / "info/attributes", "* filter=evil\n");
  for (const char* key : {"core.fsmonitor", "filter.evil.clean", "filter.evil.process", "core.sshCommand"})
    git(slot, {"config", "--file", (modules / "config").string(), key, script.string()});
  // Of the same size, so that git has to read it, and filters what it reads.
  write_text(slot / "sm/README.md", std::string(read_text(slot / "sm/README.md").size() - 1, 'x') + "\n");
  expect_refused_as_dirty("x", "submodule");
  EXPECT_FALSE(fs::exists(ran));
  (void)try_git(slot / "sm", {"-c", "core.fsmonitor=false", "status"});
  EXPECT_TRUE(fs::exists(ran)) << "the filter is none that git would run";
  fs::remove(ran);
  world.release("x");
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  EXPECT_FALSE(fs::exists(ran));
}

TEST_F(Submodules, FilesInThePlaceOfOneAreDirtForWhoPutThemThereAlone) {
  const auto slot = world.acquire("x");
  write_text(slot / "sm/mine.txt", "mine\n");
  expect_refused_as_dirty("x", "1 new untracked");
  world.release("x");
  EXPECT_TRUE(fs::exists(slot / "sm/mine.txt"));
  EXPECT_EQ(world.acquire("y"), slot);
  const auto outcome = world.wtpool({"release", "y", "--refuse-dirty", "--wait"});
  EXPECT_EQ(outcome.code, 0) << outcome;
}

TEST_F(Submodules, FilesInThePlaceOfOneAreKeptWhenTheSlotIsRemoved) {
  const auto slot = world.acquire("x");
  write_text(slot / "sm/mine.txt", "mine\n");
  world.release("x");
  const auto outcome = world.wtpool({"remove", "slot-0"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("kept as"), std::string::npos) << outcome;
  EXPECT_EQ(kept("mine.txt").size(), 1u);
}

TEST_F(Submodules, AFileInThePlaceOfOneIsKept) {
  const auto slot = world.acquire("x");
  fs::remove(slot / "sm");
  write_text(slot / "sm", "mine\n");
  const auto outcome = world.wtpool({"release", "x", "--wait"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  ASSERT_EQ(repo.trash_refs().size(), 1u);
  EXPECT_EQ(repo.git({"show", repo.trash_refs().front() + ":sm"}), "mine");
  EXPECT_TRUE(fs::is_empty(slot / "sm"));
}

TEST_F(Submodules, ACloneInThePlaceOfOneIsKeptWholeAndNamed) {
  const auto slot = world.acquire("x");
  git(slot, {"clone", "-q", sub.path().string(), "sm"});
  const auto commit = commit_in(slot / "sm");
  const auto outcome = world.wtpool({"release", "x", "--wait"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("submodule sm"), std::string::npos) << outcome;
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  ASSERT_EQ(kept("sm").size(), 1u);
  EXPECT_EQ(Repo(kept("sm").front()).head(), commit);
}

TEST_F(Submodules, ACloneInThePlaceOfOneKeepsTheSlotFromBeingRemoved) {
  const auto slot = world.acquire("x");
  git(slot, {"clone", "-q", sub.path().string(), "sm"});
  world.release("x");
  const auto outcome = world.wtpool({"remove", "slot-0"});
  EXPECT_EQ(outcome.code, 11) << outcome;
  EXPECT_NE(outcome.err.find("mv " + (slot / "sm").string() + " ELSEWHERE"), std::string::npos) << outcome;
  fs::rename(slot / "sm", world.dir() / "elsewhere");
  const auto again = world.wtpool({"remove", "slot-0"});
  EXPECT_EQ(again.code, 0) << again;
}

TEST_F(Submodules, WorkInsideOneInsideAnotherIsKept) {
  sub.git({"-c", "protocol.file.allow=always", "submodule", "--quiet", "add", world.make_repo("inner").path().string(), "in"});
  sub.git({"commit", "-q", "-m", "a submodule"});
  repo.git({"-C", "sm", "pull", "-q"});
  repo.git({"commit", "-q", "-a", "-m", "newer"});
  const auto slot = world.acquire("x");
  git(slot, {"-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "--recursive"});
  write_text(slot / "sm/in/new.txt", "new\n");
  expect_refused_as_dirty("x", "submodule");
  world.release("x");
  EXPECT_EQ(kept("new.txt").size(), 1u);
  EXPECT_EQ(world.wtpool({"remove", "slot-0"}).code, 0);
}

}  // namespace
}  // namespace wtpool::test
