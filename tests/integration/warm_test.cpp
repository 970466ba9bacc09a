// Slots that are made ahead, by the real programs.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Warm : public ::testing::Test {
 protected:
  Warm() { world.start_daemon(); }
  void open(const std::string& max_slots) { world.init(repo, {"--max-slots", max_slots}); }
  std::size_t idle() const {
    std::size_t count = 0;
    for (const auto& slot : world.json_of({"ls"})) count += slot["state"] == "idle" ? 1 : 0;
    return count;
  }

  World world;
  Repo repo = world.make_repo();
};

TEST_F(Warm, SlotsAreReadyBeforeAnybodyAsks) {
  open("3");
  const json told = world.json_of({"warm", "2", "--wait"});
  EXPECT_EQ(told["idle"], 2);
  EXPECT_EQ(told["wanted"], 2);
  EXPECT_EQ(idle(), 2u);
  const fs::path first = world.root() / "app/slot-0";
  EXPECT_EQ(git(first, {"status", "--porcelain", "--branch"}), "## HEAD (no branch)");
  EXPECT_EQ(git(first, {"rev-parse", "HEAD"}), repo.head());
  const json got = world.json_of({"acquire", "x"});
  EXPECT_EQ(got["fresh"], false);
  EXPECT_EQ(got["reused_commit"], true);
  world.release("x");
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(Warm, SaysHowManyThereCanBe) {
  open("1");
  world.acquire("x");
  const auto told = world.wtpool({"warm", "2"});
  EXPECT_EQ(told.code, 0) << told;
  EXPECT_EQ(told.out, "");
  EXPECT_NE(told.err.find("leaves 0"), std::string::npos) << told.err;
}

TEST_F(Warm, TheConfigKeepsSomeReady) {
  open("2");
  const auto config = world.root() / "app/.meta/config.yaml";
  write_text(config, read_text(config) + "warm: 1\n");
  EXPECT_EQ(world.wtpool({"daemon", "reload"}).code, 0);
  ASSERT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_EQ(world.json_of({"acquire", "x"})["fresh"], false);
  ASSERT_TRUE(world.wait_for_state("slot-1", "idle"));
}

TEST_F(Warm, AKillAnywhereLeavesAWholeSlotOrNone) {
  open("2");
  for (const std::string place : {"acquire.worktree-added", "acquire.fresh-marker-written", "make.entry-stands", "make.filled",
                                  "make.settled", "make.idle"}) {
    SCOPED_TRACE(place);
    world.stop_daemon();
    world.environment["WTPOOL_FAILPOINT"] = place + ":kill";
    world.start_daemon();
    EXPECT_NE(world.wtpool({"warm", "1", "--wait"}).code, 0);
    EXPECT_EQ(world.daemon().wait(30s).code, 128 + SIGKILL);
    world.environment.erase("WTPOOL_FAILPOINT");
    world.start_daemon();
    EXPECT_EQ(world.wtpool({"warm", "1", "--wait"}).code, 0);
    EXPECT_EQ(idle(), 1u);
    const json got = world.json_of({"acquire", "work"});
    EXPECT_EQ(got["fresh"], false);
    EXPECT_EQ(git(got["path"].get<std::string>(), {"status", "--porcelain"}), "");
    EXPECT_EQ(repo.git({"for-each-ref", "--format=%(refname)", "refs/heads/made-ahead"}), "");
    world.release("work");
    EXPECT_EQ(world.wtpool({"remove", got["slot"].get<std::string>()}).code, 0);
    EXPECT_EQ(repo.complaint(), "");
  }
}

}  // namespace
}  // namespace wtpool::test
