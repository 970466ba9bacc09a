// Pools whose recycle removes what git does not track: it goes out of the slot, and stays in the trash.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class RecycleThatCleans : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo, {"--max-slots", "1"});
    configure("clean: untracked\n");
    slot = world.acquire("x");
  }
  void configure(const std::string& lines) {
    const auto config = world.root() / "app/.meta/config.yaml";
    write_text(config, read_text(config) + lines);
    world.stop_daemon();
    world.start_daemon();
  }
  // Of the third parent of some commit of stash shape: what was not tracked.
  [[nodiscard]] bool keeps_untracked(const std::string& file, const std::string& text) const {
    const auto refs = repo.trash_refs();
    return std::any_of(refs.begin(), refs.end(), [&](const auto& ref) {
      return try_git(repo.path(), {"show", ref + "^3:" + file}).out == text;
    });
  }
  void make_private_files() const {
    write_text(slot / ".env", "secret\n");
    write_text(slot / "cache/deep/file", "hours of work\n");
  }
  void expect_both_kept() const {
    EXPECT_FALSE(fs::exists(slot / ".env"));
    EXPECT_FALSE(fs::exists(slot / "cache"));
    EXPECT_TRUE(keeps_untracked(".env", "secret\n"));
    EXPECT_TRUE(keeps_untracked("cache/deep/file", "hours of work\n"));
  }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
};

TEST_F(RecycleThatCleans, KeepsWhatOnlyTheHoldersCommittedGitignoreCovered) {
  Repo(slot).commit(".gitignore", "*.o\nbuild/\n.env\ncache/\n");
  make_private_files();
  world.release("x");
  expect_both_kept();
}

TEST_F(RecycleThatCleans, KeepsWhatOnlyTheHoldersEditedGitignoreCovered) {
  write_text(slot / ".gitignore", "*.o\nbuild/\n.env\ncache/\n");
  write_text(slot / "notes", "seen at once\n");
  make_private_files();
  world.release("x");
  expect_both_kept();
  EXPECT_TRUE(keeps_untracked("notes", "seen at once\n"));
}

TEST_F(RecycleThatCleans, MovesAsideWhatOnlyTheHoldersGitignoreCoveredAndIsTooLargeToCommit) {
  configure("save_limit_files: 1\n");
  write_text(slot / ".gitignore", "*.o\nbuild/\n.env\ncache/\n");
  make_private_files();
  world.release("x");
  std::size_t found = 0;
  for (const auto& item : fs::recursive_directory_iterator(world.root() / "app/.meta/trash")) {
    const bool env = item.path().filename() == ".env" && read_text(item.path()) == "secret\n";
    const bool file = item.path().filename() == "file" && read_text(item.path()) == "hours of work\n";
    found += env || file ? 1 : 0;
  }
  EXPECT_EQ(found, 2u);
  EXPECT_FALSE(fs::exists(slot / "cache"));
}

TEST_F(RecycleThatCleans, KeepsNothingThatWasToBeDiscarded) {
  Repo(slot).commit(".gitignore", "*.o\nbuild/\n.env\ncache/\n");
  make_private_files();
  world.release("x", {"--discard"});
  EXPECT_FALSE(fs::exists(slot / ".env"));
  EXPECT_FALSE(keeps_untracked(".env", "secret\n"));
}

}  // namespace
}  // namespace wtpool::test
