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
