// Work that a release kept: listed, brought back, dropped.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Trash : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo);
  }
  // The only entry's id.
  std::string keep_something() {
    const auto slot = world.acquire("x");
    write_text(slot / "README.md", "changed\n");
    git(slot, {"commit", "-q", "-a", "-m", "work"});
    tip = git(slot, {"rev-parse", "HEAD"});
    world.release("x");
    const auto entries = world.json_of({"trash", "ls"});
    EXPECT_EQ(entries.size(), 1u) << entries;
    return entries.empty() ? "" : entries[0].value("id", "");
  }
  World world;
  Repo repo = world.make_repo();
  std::string tip;
};

TEST_F(Trash, IsEmptyAtFirst) {
  EXPECT_EQ(world.json_of({"trash", "ls"}), json::array());
  EXPECT_EQ(lines_of(world.wtpool({"trash", "ls"}).out).size(), 1u) << "the table's head alone";
}

TEST_F(Trash, IsListedWithItsId) {
  const auto id = keep_something();
  EXPECT_EQ(keys_of(world.json_of({"trash", "ls"})[0]),
            (std::vector<std::string>{"bytes", "files", "id", "name", "pool", "refs", "slot", "time"}));
  const auto table = world.wtpool({"trash", "ls"});
  EXPECT_NE(table.out.find(id), std::string::npos) << table;
}

TEST_F(Trash, IsRestoredToABranch) {
  const auto id = keep_something();
  const auto outcome = world.wtpool({"trash", "restore", id, "--branch", "back"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("back"), std::string::npos) << outcome;
  EXPECT_EQ(repo.git({"rev-parse", "refs/heads/back"}), tip);
  EXPECT_NE(world.wtpool({"trash", "restore", id, "--branch", "back"}).code, 0) << "no branch is overwritten";
  for (const auto* name : {"HEAD", "-x", "@", "a b", "refs/heads/q"})
    EXPECT_EQ(world.wtpool({"trash", "restore", id, std::string("--branch=") + name}).code, 10) << name;
}

TEST_F(Trash, ABranchThatGitCannotHaveBesideAnotherIsRefusedAsByAcquire) {
  const auto id = keep_something();
  world.acquire("held");
  repo.git({"branch", "deep/er"});
  const auto before = repo.everything();
  for (const auto& [name, other] : {std::pair{"main/x", "main"}, {"held/x/y", "held"}, {"deep", "deep/er"}}) {
    const auto outcome = world.wtpool({"trash", "restore", id, "--branch", name});
    EXPECT_EQ(outcome.code, 9) << outcome;
    EXPECT_NE(outcome.err.find(std::string("branch '") + other + "' exists, and git cannot have both"), std::string::npos)
        << outcome;
    EXPECT_EQ(world.wtpool({"acquire", name}).code, 9) << name;
  }
  repo.git({"pack-refs", "--all"});
  EXPECT_EQ(world.wtpool({"trash", "restore", id, "--branch", "deep"}).code, 9) << "packed or not";
  EXPECT_EQ(repo.everything(), before);
}

TEST_F(Trash, ARebaseThatStoppedHalfWayIsRestoredWithAllItsCommits) {
  const auto slot = world.acquire("x");
  repo.commit("Makefile", "upstream\n");
  std::vector<std::string> commits;
  for (const auto* file : {"one.txt", "Makefile", "three.txt"}) {
    write_text(slot / file, "mine\n");
    git(slot, {"add", "."});
    git(slot, {"commit", "-q", "-m", file});
    commits.push_back(git(slot, {"rev-parse", "HEAD"}));
  }
  write_text(slot / "README.md", "set aside\n");
  EXPECT_NE(try_git(slot, {"rebase", "--autostash", "main"}).code, 0);
  const auto stopped = git(slot, {"rev-parse", "HEAD"});
  write_text(slot / "Makefile", "half resolved\n");
  world.release("x");
  const auto entries = world.json_of({"trash", "ls"});
  ASSERT_EQ(entries.size(), 1u) << entries;
  EXPECT_EQ(world.wtpool({"trash", "restore", entries[0].value("id", ""), "--branch", "back"}).code, 0);
  EXPECT_EQ(repo.git({"show", "back:Makefile"}), "half resolved");
  EXPECT_EQ(repo.git({"rev-parse", "back^1"}), stopped) << "the work is what changed since then";
  for (const auto& commit : commits) EXPECT_EQ(repo.try_git({"merge-base", "--is-ancestor", commit, "back"}).code, 0) << commit;
  const auto message = repo.git({"log", "-1", "--format=%B", "back"});
  EXPECT_NE(message.find("/heads/x"), std::string::npos) << message;
  EXPECT_NE(message.find("/autostash/0"), std::string::npos) << message;
  EXPECT_EQ(repo.git({"show", "back^3:README.md"}), "set aside");
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(Trash, AHeadAndABranchThatWentApartAreRestoredAsOne) {
  const auto slot = world.acquire("x");
  git(slot, {"commit", "-q", "--allow-empty", "-m", "of the branch"});
  const auto branch = git(slot, {"rev-parse", "HEAD"});
  git(slot, {"switch", "-q", "--detach", "main"});
  git(slot, {"commit", "-q", "--allow-empty", "-m", "of no branch"});
  const auto head = git(slot, {"rev-parse", "HEAD"});
  world.release("x");
  const auto entries = world.json_of({"trash", "ls"});
  ASSERT_EQ(entries.size(), 1u) << entries;
  EXPECT_EQ(world.wtpool({"trash", "restore", entries[0].value("id", ""), "--branch", "back"}).code, 0);
  EXPECT_EQ(repo.git({"log", "-1", "--format=%P", "back"}), head + " " + branch);
}

TEST_F(Trash, WorkAtTheBaseDoesNotUndoABranchThatMoved) {
  const auto slot = world.acquire("x");
  write_text(slot / "Makefile", "of the branch\n");
  git(slot, {"commit", "-q", "-a", "-m", "of the branch"});
  const auto branch = git(slot, {"rev-parse", "HEAD"});
  git(slot, {"switch", "-q", "--detach", "main"});
  write_text(slot / "README.md", "work\n");
  world.release("x");
  const auto entries = world.json_of({"trash", "ls"});
  ASSERT_EQ(entries.size(), 1u) << entries;
  EXPECT_EQ(world.wtpool({"trash", "restore", entries[0].value("id", ""), "--branch", "back"}).code, 0);
  EXPECT_EQ(repo.git({"log", "-1", "--format=%P", "back"}), repo.head() + " " + branch);
  EXPECT_EQ(repo.git({"diff", "--name-only", "back^1", "back"}), "README.md");
}

TEST_F(Trash, AStashOfARebaseAloneIsRestored) {
  const auto slot = world.acquire("x");
  write_text(slot / "README.md", "set aside\n");
  const auto stash = git(slot, {"stash", "create"});
  git(slot, {"checkout", "-q", "."});
  fs::create_directories(gitdir_of(slot) / "rebase-merge");
  write_text(gitdir_of(slot) / "rebase-merge/autostash", stash + "\n");
  world.release("x");
  const auto entries = world.json_of({"trash", "ls"});
  ASSERT_EQ(entries.size(), 1u) << entries;
  const auto outcome = world.wtpool({"trash", "restore", entries[0].value("id", ""), "--branch", "back"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(repo.git({"show", "back:README.md"}), "set aside");
  EXPECT_EQ(repo.git({"rev-parse", "back^1"}), repo.head());
}

TEST_F(Trash, FilesThatAreInNoBranchAreNamedWhenItIsRestored) {
  const auto config = world.root() / "app/.meta/config.yaml";
  write_text(config, read_text(config) + "save_limit_files: 3\n");
  const auto slot = world.acquire("x");
  for (const char* file : {"README.md", "Makefile", "src/main.c", ".gitignore"}) write_text(slot / file, "changed\n");
  world.release("x");
  const auto entries = world.json_of({"trash", "ls"});
  ASSERT_EQ(entries.size(), 1u) << entries;
  const std::string id = entries[0].value("id", "");
  const auto outcome = world.wtpool({"trash", "restore", id, "--branch", "back"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  const auto directory = world.root() / "app/.meta/trash" / id;
  EXPECT_NE(outcome.err.find("4 files are only in " + directory.string() + ": not in the branch"), std::string::npos)
      << outcome;
  EXPECT_EQ(read_text(directory / "README.md"), "changed\n");
  EXPECT_EQ(world.wtpool({"trash", "drop", id}).code, 0);
  EXPECT_FALSE(fs::exists(directory));
}

TEST_F(Trash, NothingIsSaidOfFilesWhereAllAreInTheBranch) {
  const auto outcome = world.wtpool({"trash", "restore", keep_something(), "--branch", "back"});
  EXPECT_EQ(outcome.err.find("only in"), std::string::npos) << outcome;
}

TEST_F(Trash, IsDroppedForGood) {
  const auto id = keep_something();
  const auto outcome = world.wtpool({"trash", "drop", id});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(repo.trash_refs().empty());
  EXPECT_EQ(world.json_of({"trash", "ls"}), json::array());
  EXPECT_NE(world.wtpool({"trash", "restore", id}).code, 0);
}

TEST_F(Trash, RefusesWhatIsNoId) {
  keep_something();
  for (const char* id : {"../../heads/main", "x", "", "*"}) {
    EXPECT_NE(world.wtpool({"trash", "drop", id}).code, 0) << id;
    EXPECT_NE(world.wtpool({"trash", "restore", id}).code, 0) << id;
  }
  EXPECT_TRUE(repo.has_branch("main"));
  EXPECT_EQ(world.json_of({"trash", "ls"}).size(), 1u);
}

}  // namespace
}  // namespace wtpool::test
