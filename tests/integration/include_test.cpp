// .worktreeinclude: files that git ignores, from the source's own working tree, in fresh slots.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Include : public ::testing::Test {
 protected:
  void SetUp() override {
    repo.commit(".gitignore", "*.o\nbuild/\n.env\n");
    write_text(repo.path() / ".worktreeinclude", ".env\nbuild/cache/\n");
    write_text(repo.path() / ".env", "KEY=1\n");
    fs::create_directories(repo.path() / "build/cache");
    write_text(repo.path() / "build/cache/a", "a");
    write_text(repo.path() / "build/other", "other");
    world.start_daemon();
    world.init(repo);
  }
  void configure(const std::string& lines) const {
    const auto file = world.root() / "app/.meta/config.yaml";
    write_text(file, read_text(file) + lines);
  }
  World world;
  Repo repo = world.make_repo();
};

TEST_F(Include, AFreshSlotHasWhatItNamesAndGitIgnores) {
  const auto slot = world.acquire("x");
  EXPECT_EQ(read_text(slot / ".env"), "KEY=1\n");
  EXPECT_EQ(read_text(slot / "build/cache/a"), "a");
  EXPECT_FALSE(fs::exists(slot / "build/other")) << "it is ignored and not named";
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  EXPECT_EQ(world.wtpool({"release", "x", "--refuse-dirty"}).code, 0);
}

TEST_F(Include, ASlotThatIsUsedAgainKeepsItsOwn) {
  const auto slot = world.acquire("x");
  write_text(slot / ".env", "KEY=of the slot\n");
  fs::remove(slot / "build/cache/a");
  world.release("x");
  write_text(repo.path() / ".env", "KEY=2\n");
  EXPECT_EQ(world.acquire("y"), slot);
  EXPECT_EQ(read_text(slot / ".env"), "KEY=of the slot\n");
  EXPECT_FALSE(fs::exists(slot / "build/cache/a"));
}

TEST_F(Include, WhatTheCommitDoesNotIgnoreIsNotTheHoldersWork) {
  const auto before_ignoring = repo.git({"rev-parse", "HEAD~1"});
  const auto slot = world.acquire("x", {"--commit", before_ignoring});
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "?? .env");
  const auto outcome = world.wtpool({"release", "x", "--refuse-dirty"});
  EXPECT_EQ(outcome.code, 0) << outcome;
}

TEST_F(Include, WhatDoesNotFitIsSaidAndZeroTakesNothing) {
  configure("include: 6\n");
  const auto outcome = world.wtpool({"acquire", "x"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("1 file that .worktreeinclude names (1 bytes) did not fit"), std::string::npos) << outcome;
  EXPECT_EQ(read_text(trimmed(outcome.out) + "/.env"), "KEY=1\n");
  EXPECT_FALSE(fs::exists(trimmed(outcome.out) + "/build/cache/a"));
  const auto file = world.root() / "app/.meta/config.yaml";
  auto text = read_text(file);
  text.replace(text.find("include: 6"), std::string::npos, "include: 0\n");
  write_text(file, text);
  const auto none = world.acquire("y");
  EXPECT_FALSE(fs::exists(none / ".env"));
}

TEST_F(Include, ASymlinkIsNeitherTakenNorFollowed) {
  fs::remove(repo.path() / ".env");
  write_text(world.dir() / "outside", "secret\n");
  fs::create_symlink(world.dir() / "outside", repo.path() / ".env");
  const auto slot = world.acquire("x");
  EXPECT_FALSE(fs::exists(fs::symlink_status(slot / ".env")));
}

TEST_F(Include, TheFileIsThatOfTheWorkingTreeAndNeverOfACommit) {
  fs::rename(repo.path() / ".worktreeinclude", world.dir() / "aside");
  repo.commit(".worktreeinclude", ".env\n");
  fs::remove(repo.path() / ".worktreeinclude");
  const auto slot = world.acquire("x");
  EXPECT_TRUE(fs::exists(slot / ".worktreeinclude"));
  EXPECT_FALSE(fs::exists(slot / ".env"));
}

}  // namespace
}  // namespace wtpool::test
