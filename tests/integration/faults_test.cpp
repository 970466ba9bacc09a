// What holders, other programs and the machine do to slots, and what must be left of the work afterwards.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Faults : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo);
    slot = world.acquire("x");
  }
  // All that the trash keeps, with the names it has there: of the saved commits and of the files that were moved aside.
  [[nodiscard]] std::string kept_text(const std::string& name) const {
    std::string found;
    for (const auto& ref : repo.trash_refs()) {
      for (const auto* parent : {"", "^2", "^3"}) {
        const auto shown = repo.try_git({"cat-file", "blob", ref + parent + ":" + name});
        if (shown.code == 0) found += shown.out;
      }
    }
    for (const auto& entry : fs::recursive_directory_iterator(world.root() / "app/.meta/trash"))
      if (entry.is_regular_file() && entry.path().string().ends_with("/" + name)) found += read_text(entry.path());
    return found;
  }
  void expect_clean_for_the_next() const {
    EXPECT_EQ(world.state_of("slot-0"), "idle");
    EXPECT_EQ(repo.complaint(), "");
    EXPECT_EQ(world.acquire("next"), slot);
    EXPECT_EQ(git(slot, {"status", "--porcelain", "--untracked-files=no"}), "");
    EXPECT_EQ(read_text(slot / "README.md"), "A repository.\n");
  }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
};

TEST_F(Faults, FilesInADirectoryThatStandsWhereAFileWasAreKept) {
  fs::remove(slot / "README.md");
  write_text(slot / "README.md/inner.txt", "inner\n");
  write_text(slot / "README.md/ignored.o", "ignored\n");
  world.release("x");
  EXPECT_EQ(kept_text("README.md/inner.txt"), "inner\n");
  EXPECT_EQ(kept_text("README.md/ignored.o"), "ignored\n");
  expect_clean_for_the_next();
}

TEST_F(Faults, AFileThatStandsWhereADirectoryWasIsKept) {
  fs::remove_all(slot / "src");
  write_text(slot / "src", "a file\n");
  world.release("x");
  EXPECT_EQ(kept_text("src"), "a file\n");
  expect_clean_for_the_next();
}

TEST_F(Faults, ARepositoryThatStandsWhereAFileWasIsKeptWhole) {
  for (const bool with_commit : {false, true}) {
    if (with_commit) slot = world.acquire("x");
    fs::remove(slot / "README.md");
    fs::create_directories(slot / "README.md");
    git(slot / "README.md", {"init", "-q"});
    write_text(slot / "README.md/inner.txt", "nested\n");
    if (with_commit) {
      git(slot / "README.md", {"add", "."});
      git(slot / "README.md", {"commit", "-q", "-m", "inner"});
    }
    world.release("x", {"--discard"});
    EXPECT_EQ(kept_text("README.md/inner.txt"), "nested\n") << with_commit;
    expect_clean_for_the_next();
    world.release("next");
    fs::remove_all(world.root() / "app/.meta/trash");
  }
}

TEST_F(Faults, UntrackedFilesOfAnOrphanBranchAreKeptAndTheSourceStaysSound) {
  git(slot, {"switch", "-q", "--orphan", "unborn"});
  write_text(slot / "README.md", "of the orphan\n");
  world.release("x");
  EXPECT_EQ(kept_text("README.md"), "of the orphan\n");
  expect_clean_for_the_next();
}

TEST_F(Faults, DiscardDropsWhatStandsInTheWay) {
  fs::remove(slot / "README.md");
  write_text(slot / "README.md/inner.txt", "inner\n");
  world.release("x", {"--discard"});
  EXPECT_TRUE(repo.trash_refs().empty());
  expect_clean_for_the_next();
}

TEST_F(Faults, ALockThatIsADirectoryWedgesNothing) {
  write_text(gitdir_of(slot) / "index.lock/something", "who knows\n");
  write_text(slot / "README.md", "dirt\n");
  world.release("x");
  EXPECT_TRUE(kept_text("README.md").starts_with("dirt\n"));
  expect_clean_for_the_next();
}

TEST_F(Faults, ADamagedIndexIsMadeAnewAtTheReleaseAndTheWorkKept) {
  write_text(gitdir_of(slot) / "index", "this is no index at all, it is only text that is long enough\n");
  write_text(slot / "README.md", "dirt\n");
  world.release("x");
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  EXPECT_TRUE(kept_text("README.md").starts_with("dirt\n"));
  expect_clean_for_the_next();
}

TEST_F(Faults, WhatWasStagedInALostDirectoryIsKeptThoughTheDaemonDiedInTheRelease) {
  write_text(slot / "staged.txt", "staged\n");
  git(slot, {"add", "staged.txt"});
  world.stop_daemon();
  auto marker = read_text(marker_of(slot));
  marker.replace(marker.find("state: held"), 11, "state: releasing\non_dirty: save");
  write_text(marker_of(slot), marker);
  fs::remove_all(slot);
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "fresh"));
  EXPECT_EQ(kept_text("staged.txt"), "staged\nstaged\n") << "the tree of the stash, and its index";
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(Faults, ASlotThatWasMovedAwayByHandKeepsItsGit) {
  write_text(slot / "README.md", "dirt\n");
  const auto elsewhere = world.dir() / "elsewhere";
  repo.git({"worktree", "unlock", slot.string()});
  repo.git({"worktree", "move", slot.string(), elsewhere.string()});
  EXPECT_EQ(world.wtpool({"release", "x", "--wait"}).code, 12);
  EXPECT_EQ(world.state_of("slot-0"), "quarantined");
  const auto repaired = world.wtpool({"repair", "slot-0"});
  EXPECT_EQ(repaired.code, 0) << repaired;
  EXPECT_EQ(git(elsewhere, {"status", "--porcelain"}), " M README.md");
  EXPECT_EQ(world.acquire("next"), slot);
}

// A git of the daemon's that dies in the middle: a lock of the source's refs stays where that git held it.
class KilledGit : public ::testing::Test {
 protected:
  void SetUp() override {
    make_shim();
    world.environment["PATH"] = shim().parent_path().string() + ":" + world.environment["PATH"];
    world.start_daemon();
    world.init(repo);
    const auto slot = world.acquire("before");
    world.release("before");
    // Without a reflog to append to, the branch and HEAD are made by a git that can be killed, not by the source's helper.
    fs::remove(gitdir_of(slot) / "logs/HEAD");
  }
  // `also`: what it does besides, before it kills itself.
  void make_shim(const std::string& also = "") const {
    const std::string armed = (world.dir() / "armed").string();
    // Whole at once: a git of the daemon may be about to begin, and nobody writes to a program that begins.
    const fs::path made = shim().string() + ".made";
    write_text(made, "#!/bin/sh\nif [ -e " + armed + " ]; then case \"$*\" in *\"$(cat " + armed + ")\"*)\n  rm " + armed +
                         "; : > " + lock().string() + "; " + also + "kill -9 $$;; esac; fi\nPATH=${PATH#*:} exec git \"$@\"\n");
    fs::permissions(made, fs::perms::owner_all);
    fs::rename(made, shim());
  }
  void arm(const std::string& words) const { write_text(world.dir() / "armed", words); }
  [[nodiscard]] fs::path shim() const { return world.dir() / "shim/git"; }
  // Until the name can be had again; it cannot before the lock is old enough to be nobody's.
  [[nodiscard]] std::chrono::steady_clock::duration time_to_acquire(const std::string& name) const {
    const auto begin = std::chrono::steady_clock::now();
    world.acquire(name);
    return std::chrono::steady_clock::now() - begin;
  }
  [[nodiscard]] fs::path lock() const { return repo.path() / ".git/refs/heads/x.lock"; }
  World world;
  Repo repo = world.make_repo();
};

TEST_F(KilledGit, WhatItLocksIsFreeAgainForTheNext) {
  arm("switch");
  EXPECT_EQ(world.wtpool({"acquire", "x"}).code, 1);
  ASSERT_TRUE(fs::exists(lock()));
  EXPECT_LT(time_to_acquire("x"), 13s);
  EXPECT_FALSE(fs::exists(lock()));
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(KilledGit, IsKnownToTheNextDaemon) {
  arm("switch");
  EXPECT_EQ(world.wtpool({"acquire", "x"}).code, 1);
  ASSERT_TRUE(fs::exists(lock()));
  EXPECT_NE(read_text(world.state() / "killed"), "");
  world.kill_daemon();
  world.start_daemon();
  EXPECT_LT(time_to_acquire("x"), 13s);
  EXPECT_FALSE(fs::exists(lock()));
}

TEST_F(KilledGit, ThatWasKilledTogetherWithItsDaemonIsKnownToTheNext) {
  make_shim("kill -9 $PPID; ");
  arm("switch");
  EXPECT_NE(world.wtpool({"acquire", "x"}).code, 0);
  ASSERT_TRUE(fs::exists(lock()));
  world.kill_daemon();
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_LT(time_to_acquire("x"), 13s);
  EXPECT_FALSE(fs::exists(lock()));
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(KilledGit, WhosePackedRefsWereHalfWrittenDelaysAReleaseNoLongerThanTheLockIsYoung) {
  world.acquire("y");
  const auto git_dir = (repo.path() / ".git").string();
  make_shim(": > " + git_dir + "/packed-refs.lock; echo half > " + git_dir + "/packed-refs.new; ");
  arm("checkout");
  EXPECT_EQ(world.wtpool({"acquire", "x"}).code, 1);
  const auto begin = std::chrono::steady_clock::now();
  world.release("y");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 13s);
  EXPECT_FALSE(repo.has_branch("y"));
  EXPECT_FALSE(fs::exists(git_dir + "/packed-refs.lock"));
  EXPECT_FALSE(fs::exists(git_dir + "/packed-refs.new"));
  repo.git({"branch", "by-hand"});
  repo.git({"branch", "-D", "by-hand"});
}

TEST_F(KilledGit, OfSomebodyElseKeepsItsLock) {
  arm("switch");
  EXPECT_EQ(world.wtpool({"acquire", "y"}).code, 1);
  write_text(lock(), "");
  fs::last_write_time(lock(), fs::file_time_type::clock::now() - 1h);
  const auto outcome = world.wtpool({"acquire", "x"});
  EXPECT_NE(outcome.code, 0);
  EXPECT_NE(outcome.err.find("x.lock"), std::string::npos) << outcome;
  EXPECT_TRUE(fs::exists(lock()));
}

}  // namespace
}  // namespace wtpool::test
