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
  [[nodiscard]] std::vector<std::string> kept_work() const {
    auto refs = repo.trash_refs();
    std::erase_if(refs, [](const std::string& ref) { return !ref.ends_with("/work"); });
    return refs;
  }
  [[nodiscard]] std::string left_in_slot() const {
    return git(slot, {"status", "--porcelain", "--ignored", "--untracked-files=all"});
  }
  // One covers the next.
  void make_untracked_gitignores() const {
    write_text(slot / "mine/.gitignore", "secret\ndeep/\n");
    write_text(slot / "mine/secret", "important\n");
    write_text(slot / "mine/deep/.gitignore", "deeper/\n");
    write_text(slot / "mine/deep/seen", "once the first has gone\n");
    write_text(slot / "mine/deep/deeper/.gitignore", "last\n");
    write_text(slot / "mine/deep/deeper/last", "hours of work\n");
    fs::create_directories(slot / "mine/deep/empty");
  }
  void expect_covered_files_kept() const {
    EXPECT_TRUE(keeps_untracked("mine/.gitignore", "secret\ndeep/\n"));
    EXPECT_TRUE(keeps_untracked("mine/secret", "important\n"));
    EXPECT_TRUE(keeps_untracked("mine/deep/.gitignore", "deeper/\n"));
    EXPECT_TRUE(keeps_untracked("mine/deep/seen", "once the first has gone\n"));
    EXPECT_TRUE(keeps_untracked("mine/deep/deeper/.gitignore", "last\n"));
    EXPECT_TRUE(keeps_untracked("mine/deep/deeper/last", "hours of work\n"));
    EXPECT_FALSE(fs::exists(slot / "mine"));
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

TEST_F(RecycleThatCleans, KeepsWhatOnlyTheHoldersUntrackedGitignoresCoveredInOneEntry) {
  make_untracked_gitignores();
  write_text(slot / "README.md", "changed\n");
  world.release("x");
  expect_covered_files_kept();
  EXPECT_EQ(left_in_slot(), "");
  ASSERT_EQ(kept_work().size(), 1u);
  const auto work = kept_work().front();
  EXPECT_EQ(repo.git({"show", work + ":README.md"}), "changed");
  EXPECT_EQ(repo.git({"log", "-1", "--format=%h %s", work + "^1"}),
            repo.git({"log", "-1", "--format=%s", work}).substr(std::string("WIP on x: ").size()));
  EXPECT_EQ(repo.complaint(), "");
  world.acquire("y");
  world.release("y");
  EXPECT_EQ(kept_work().size(), 1u) << "nothing of the first holder was there for the next";
}

TEST_F(RecycleThatCleans, LeavesWhatTheSourcesOwnRulesCoverBesideAnUntrackedGitignore) {
  write_text(repo.path() / ".git/info/exclude", "private\n");
  make_untracked_gitignores();
  write_text(slot / "mine/deep/made.o", "made again in no time\n");
  write_text(slot / "mine/private", "of this machine\n");
  world.release("x");
  EXPECT_EQ(read_text(slot / "mine/deep/made.o"), "made again in no time\n");
  EXPECT_EQ(read_text(slot / "mine/private"), "of this machine\n");
  EXPECT_TRUE(keeps_untracked("mine/deep/deeper/last", "hours of work\n"));
  EXPECT_FALSE(keeps_untracked("mine/deep/made.o", "made again in no time\n"));
  EXPECT_FALSE(keeps_untracked("mine/private", "of this machine\n"));
}

TEST_F(RecycleThatCleans, KeepsAsMuchAsALimitAllowsInOneEntryAndMovesTheRestAside) {
  configure("save_limit_files: 1\n");
  write_text(slot / "mine/.gitignore", "secret\ntoken\n");
  write_text(slot / "mine/secret", "important\n");
  write_text(slot / "mine/token", "as important\n");
  world.release("x");
  std::map<std::string, std::string> found;
  for (const auto& item : fs::recursive_directory_iterator(world.root() / "app/.meta/trash")) {
    if (item.is_regular_file()) found[item.path().filename()] = read_text(item.path());
  }
  EXPECT_TRUE(keeps_untracked("mine/.gitignore", "secret\ntoken\n"));
  EXPECT_EQ(found["secret"], "important\n");
  EXPECT_EQ(found["token"], "as important\n");
  EXPECT_EQ(left_in_slot(), "");
}

TEST_F(RecycleThatCleans, DiscardsWhatAnUntrackedGitignoreCoveredToo) {
  make_untracked_gitignores();
  world.release("x", {"--discard"});
  EXPECT_FALSE(fs::exists(slot / "mine"));
  EXPECT_EQ(kept_work(), std::vector<std::string>{});
}

TEST_F(RecycleThatCleans, KeepsWhatAnUntrackedGitignoreCoveredUnderItsHoldersNameAfterAKillAsThatOneWent) {
  world.stop_daemon();
  world.environment["WTPOOL_FAILPOINT"] = "recycle.cleaned:kill";
  world.start_daemon();
  make_untracked_gitignores();
  (void)world.wtpool({"release", "x", "--wait"});
  world.kill_daemon();
  EXPECT_TRUE(fs::exists(slot / "mine/secret"));
  world.environment.erase("WTPOOL_FAILPOINT");
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  expect_covered_files_kept();
  EXPECT_EQ(left_in_slot(), "");
  for (const auto& entry : world.json_of({"trash", "ls"})) EXPECT_EQ(entry["name"], "x") << entry;
}

}  // namespace
}  // namespace wtpool::test
