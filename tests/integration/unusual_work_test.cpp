// Work of a form that git has no name for, or does not see: it is kept, or it stays and is named.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

bool says(const Outcome& outcome, const std::string& text) { return outcome.err.find(text) != std::string::npos; }

class UnusualWork : public ::testing::Test {
 protected:
  void begin(const std::string& lines = {}) {
    world.start_daemon();
    world.init(repo, {"--max-slots", "1"});
    const auto config = world.root() / "app/.meta/config.yaml";
    write_text(config, read_text(config) + lines);
    slot = world.acquire("x");
  }
  // As in the source of whoever never fills it: git makes the directory, and looks at nothing in it.
  void add_submodule(const std::string& path) const {
    repo.git({"update-index", "--add", "--cacheinfo", "160000," + repo.head() + "," + path});
    repo.git({"commit", "-q", "-m", "a submodule"});
    fs::create_directories(repo.path() / path);
  }
  // The only entry.
  [[nodiscard]] json kept() const {
    const auto entries = world.json_of({"trash", "ls"});
    EXPECT_EQ(entries.size(), 1u) << entries;
    return entries.empty() ? json::object() : entries[0];
  }
  [[nodiscard]] fs::path aside() const { return world.root() / "app/.meta/trash" / kept().value("id", ""); }
  void expect_restored(const std::string& path, const std::string& text) const {
    const auto outcome = world.wtpool({"trash", "restore", kept().value("id", ""), "--branch", "back"});
    EXPECT_EQ(outcome.code, 0) << outcome;
    EXPECT_EQ(repo.git({"show", "back:" + path}), text);
  }
  // A commit, and then a HEAD that leads nowhere: no git takes it for a repository any more.
  void make_damaged(const std::string& path) const {
    write_text(slot / path / "c", "committed\n");
    git(slot / path, {"init", "-q"});
    git(slot / path, {"add", "."});
    git(slot / path, {"commit", "-q", "-m", "of its own"});
    write_text(slot / path / ".git/HEAD", "");
  }
  void expect_whole(const std::string& path) const {
    EXPECT_EQ(read_text(slot / path / "c"), "committed\n") << path;
    write_text(slot / path / ".git/HEAD", "ref: refs/heads/" + main_of(path) + "\n");
    EXPECT_EQ(git(slot / path, {"show", "HEAD:c"}), "committed") << path;
  }
  [[nodiscard]] std::string main_of(const std::string& path) const {
    const fs::path heads = slot / path / ".git/refs/heads";
    return fs::is_directory(heads) ? fs::directory_iterator(heads)->path().filename().string() : "none";
  }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
};

TEST_F(UnusualWork, AFileInThePlaceOfASubmoduleIsSaved) {
  add_submodule("sm");
  begin();
  fs::remove(slot / "sm");
  write_text(slot / "sm", "precious\n");
  world.release("x");
  EXPECT_TRUE(fs::is_directory(slot / "sm"));
  EXPECT_EQ(kept().value("files", 0), 1);
  expect_restored("sm", "precious");
}

TEST_F(UnusualWork, ASymlinkInThePlaceOfASubmoduleIsSaved) {
  add_submodule("sm");
  begin();
  fs::remove(slot / "sm");
  fs::create_symlink("/somewhere/else", slot / "sm");
  world.release("x");
  EXPECT_FALSE(fs::is_symlink(slot / "sm"));
  expect_restored("sm", "/somewhere/else");
  EXPECT_TRUE(repo.git({"ls-tree", "back", "sm"}).starts_with("120000 "));
}

TEST_F(UnusualWork, AFileInThePlaceOfASubmoduleThatIsTooLargeIsMovedAside) {
  add_submodule("sm");
  begin("save_limit_bytes: 3\n");
  fs::remove(slot / "sm");
  write_text(slot / "sm", "precious\n");
  world.release("x");
  EXPECT_EQ(read_text(aside() / "sm"), "precious\n");
}

TEST_F(UnusualWork, AFileWhereADirectoryLedToASubmoduleIsSaved) {
  add_submodule("lib/sm");
  begin();
  fs::remove_all(slot / "lib");
  write_text(slot / "lib", "precious\n");
  world.release("x");
  EXPECT_TRUE(fs::is_directory(slot / "lib/sm"));
  expect_restored("lib", "precious");
}

TEST_F(UnusualWork, FilesInTheDirectoryOfASubmoduleStay) {
  add_submodule("sm");
  begin();
  write_text(slot / "sm/file", "not looked at\n");
  write_text(slot / "README.md", "changed\n");
  world.release("x");
  EXPECT_EQ(read_text(slot / "sm/file"), "not looked at\n");
}

constexpr const char* kRefused[] = {"git~1", ".GIT/x", ".git ", "deep/GIT~1/y"};

TEST_F(UnusualWork, NamesThatGitTakesIntoNoTreeAreKeptAsFiles) {
  begin("clean: untracked\n");
  for (const char* name : kRefused) write_text(slot / name, std::string("precious ") + name);
  fs::create_symlink("elsewhere", slot / ".gitmodules");
  write_text(slot / "plain", "of a good name\n");
  write_text(slot / "README.md", "changed\n");
  world.release("x");
  EXPECT_EQ(git(slot, {"status", "--porcelain", "--ignored"}), "");
  for (const char* name : kRefused) {
    EXPECT_FALSE(fs::exists(slot / name)) << name;
    EXPECT_EQ(read_text(aside() / name), std::string("precious ") + name);
  }
  EXPECT_EQ(fs::read_symlink(aside() / ".gitmodules"), "elsewhere");
  EXPECT_EQ(kept().value("files", 0), 7);
  const auto outcome = world.wtpool({"trash", "restore", kept().value("id", ""), "--branch", "back"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_TRUE(says(outcome, "5 files are only in " + aside().string())) << outcome;
  EXPECT_EQ(repo.git({"show", "back:plain"}), "of a good name");
  EXPECT_EQ(repo.git({"show", "back:README.md"}), "changed");
}

TEST_F(UnusualWork, AloneSuchANameMakesAnEntryOfItsOwnEachTime) {
  begin("clean: untracked\n");
  write_text(slot / "git~1", "first\n");
  world.release("x");
  EXPECT_EQ(read_text(aside() / "git~1"), "first\n");
  world.acquire("y");
  write_text(slot / "git~1", "second\n");
  world.release("y");
  std::vector<std::string> found;
  for (const auto& entry : world.json_of({"trash", "ls"})) {
    EXPECT_EQ(entry.value("files", 0), 1) << entry;
    found.push_back(read_text(world.root() / "app/.meta/trash" / entry.value("id", "") / "git~1"));
  }
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (std::vector<std::string>{"first\n", "second\n"}));
}

TEST_F(UnusualWork, ASymlinkInThePlaceOfGitmodulesIsKeptAsOne) {
  repo.commit(".gitmodules", "");
  begin();
  fs::remove(slot / ".gitmodules");
  fs::create_symlink("elsewhere", slot / ".gitmodules");
  world.release("x");
  EXPECT_FALSE(fs::is_symlink(slot / ".gitmodules"));
  EXPECT_EQ(fs::read_symlink(aside() / ".gitmodules"), "elsewhere");
}

TEST_F(UnusualWork, NamesThatGitTakesIntoNoTreeSurviveTheSlot) {
  begin();
  for (const char* name : kRefused) write_text(slot / name, std::string("precious ") + name);
  world.release("x");
  for (const char* name : kRefused) EXPECT_TRUE(fs::exists(slot / name)) << name;
  const auto outcome = world.wtpool({"remove", "slot-0"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_FALSE(fs::exists(slot));
  for (const char* name : kRefused) EXPECT_EQ(read_text(aside() / name), std::string("precious ") + name);
}

TEST_F(UnusualWork, ARepositoryThatIsDamagedStaysWhereCleanRemovesTheRest) {
  begin("clean: untracked\n");
  const std::vector<std::string> paths{"n", "a/deep/n", "odd *[x]\\ \"q\"\n\303\251"};
  for (const auto& path : paths) make_damaged(path);
  write_text(slot / "a/file", "of nobody's repository\n");
  for (const char* empty : {"only", "b/only"}) {
    fs::create_directories(slot / empty / ".git/objects");
    write_text(slot / empty / ".git/HEAD", "");
  }
  write_text(slot / "led/.git", "gitdir: /nowhere\n");
  write_text(slot / "led/c", "committed\n");
  const auto released = world.wtpool({"release", "x", "--wait"});
  EXPECT_EQ(released.code, 0) << released;
  for (const char* name : {"n", "a/deep/n", "only", "b/only", "led"})
    EXPECT_TRUE(says(released, std::string("a nested repository stays in slot-0: ") + name)) << name << released;
  for (const auto& path : paths) expect_whole(path);
  for (const char* file : {"only/.git/HEAD", "b/only/.git/HEAD", "led/.git"}) EXPECT_TRUE(fs::exists(slot / file)) << file;
  EXPECT_EQ(read_text(slot / "led/c"), "committed\n");
  EXPECT_FALSE(fs::exists(slot / "a/file"));
  EXPECT_EQ(kept().value("files", 0), 1);
}

TEST_F(UnusualWork, ARepositoryThatIsDamagedStaysBesideASoundOne) {
  begin("clean: untracked\n");
  (void)Repo::make(slot / "out/sound").commit("own.txt", "own\n");
  write_text(slot / "out/cut/.git", "");
  write_text(slot / "out/cut/keep", "work\n");
  world.release("x");
  EXPECT_EQ(read_text(slot / "out/cut/keep"), "work\n");
  EXPECT_TRUE(fs::exists(slot / "out/sound/own.txt"));
}

TEST_F(UnusualWork, WhatStandsBesideAnEmptyGitFileIsNotRemovedWithItsSlot) {
  begin();
  world.release("x");
  write_text(slot / "cut/.git", "");
  write_text(slot / "cut/keep", "work\n");
  const auto refused = world.wtpool({"remove", "slot-0"});
  EXPECT_EQ(refused.code, 11) << refused;
  EXPECT_EQ(read_text(slot / "cut/keep"), "work\n");
}

TEST_F(UnusualWork, ARepositoryThatIsDamagedStaysWhereCleanRemovesWhatIsIgnoredToo) {
  begin("clean: ignored\n");
  make_damaged("build/deps/n");
  make_damaged("n");
  write_text(slot / "build/out.o", "built\n");
  const auto released = world.wtpool({"release", "x", "--wait"});
  EXPECT_EQ(released.code, 0) << released;
  EXPECT_TRUE(says(released, "a nested repository stays in slot-0: build/deps/n")) << released;
  EXPECT_FALSE(fs::exists(slot / "build/out.o"));
  expect_whole("build/deps/n");
  expect_whole("n");
  EXPECT_EQ(world.json_of({"trash", "ls"}), json::array());
}

TEST_F(UnusualWork, ARepositoryThatIsDamagedIsNotRemovedWithItsSlot) {
  begin();
  make_damaged("n");
  world.release("x");
  const auto seen = world.wtpool({"remove", "slot-0"});
  EXPECT_NE(seen.code, 0);
  EXPECT_TRUE(says(seen, "a repository of its own stands in it, at n")) << seen;
  expect_whole("n");
  fs::remove_all(slot / "n");
  fs::create_directories(slot / "only/.git/objects");
  const auto unseen = world.wtpool({"remove", "slot-0"});
  EXPECT_NE(unseen.code, 0);
  EXPECT_TRUE(says(unseen, "a repository of its own stands in it, at only")) << unseen;
  EXPECT_TRUE(fs::exists(slot / "only/.git/objects"));
}

TEST_F(UnusualWork, ARepositoryThatIsDamagedIsMovedAsideWhereAFileBelongs) {
  begin();
  fs::remove(slot / "README.md");
  make_damaged("README.md/n");
  fs::create_directories(slot / "README.md/only/.git/objects");
  write_text(slot / "README.md/file", "work\n");
  world.release("x");
  EXPECT_TRUE(fs::is_regular_file(slot / "README.md"));
  EXPECT_EQ(read_text(aside() / "README.md/n/c"), "committed\n");
  EXPECT_TRUE(fs::exists(aside() / "README.md/n/.git/objects"));
  EXPECT_TRUE(fs::exists(aside() / "README.md/only/.git/objects"));
  expect_restored("README.md/file", "work");
}

TEST_F(UnusualWork, UntrackedFilesBesideTrackedOnesAreSavedWhateverIsCalledGitThere) {
  begin("clean: untracked\n");
  write_text(slot / "src/.git", "gitdir: /nowhere\n");
  write_text(slot / "src/new.c", "work\n");
  world.release("x");
  EXPECT_FALSE(fs::exists(slot / "src/new.c"));
  EXPECT_TRUE(fs::exists(slot / "src/.git"));
  expect_restored("src/new.c", "work");
}

TEST_F(UnusualWork, WhatCannotBeSavedIsDroppedByTheCommandThatTheRepairNames) {
  repo.commit(".gitattributes", "*.u16 working-tree-encoding=UTF-16\n");
  repo.commit("a.u16", "");
  begin();
  write_text(slot / "a.u16", std::string("\xff\xfe"
                                         "BAD\xd8"));
  EXPECT_EQ(world.wtpool({"release", "x", "--wait"}).code, 1);
  EXPECT_EQ(world.state_of("slot-0"), "quarantined");
  const auto failed = world.wtpool({"repair", "slot-0"});
  EXPECT_EQ(failed.code, 1) << failed;
  EXPECT_TRUE(says(failed, "or wtpool repair slot-0 --discard --pool app (drops every change that is not committed")) << failed;
  EXPECT_EQ(read_text(slot / "a.u16").size(), 6u);
  const auto repaired = world.wtpool({"repair", "slot-0", "--discard", "--pool", "app"});
  EXPECT_EQ(repaired.code, 0) << repaired;
  EXPECT_EQ(world.state_of("slot-0"), "idle");
}

}  // namespace
}  // namespace wtpool::test
