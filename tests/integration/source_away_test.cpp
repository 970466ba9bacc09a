// A source that is not there for a while: unmounted, or renamed by hand. Its pool's slots cannot be judged by it.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class SourceAway : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo, {"--max-slots", "3"});
    held = world.acquire("held");
    idle = world.acquire("x");
    world.release("x");
  }
  void take_away() const { fs::rename(repo.path(), away()); }
  void bring_back() const { fs::rename(away(), repo.path()); }
  [[nodiscard]] fs::path away() const { return repo.path().string() + ".away"; }
  void expect_as_before() {
    EXPECT_EQ(world.state_of("slot-0"), "held");
    EXPECT_EQ(world.state_of("slot-1"), "idle");
    EXPECT_TRUE(world.wait_for_state("slot-1", "idle"));
    EXPECT_EQ(world.acquire("next"), idle);
    world.release("next");
    world.release("held");
    EXPECT_EQ(repo.complaint(), "");
  }
  World world;
  Repo repo = world.make_repo();
  fs::path held;
  fs::path idle;
};

TEST_F(SourceAway, NoSlotIsQuarantinedForIt) {
  take_away();
  // Each of these has the daemon read the slots back when its client has gone.
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(world.wtpool({"acquire", "y"}).code, 1);
    EXPECT_EQ(world.wtpool({"renew", "held", "--ttl", "1h"}).code, 1);
    EXPECT_EQ(world.wtpool({"release", "held", "--wait"}).code, 1);
    EXPECT_EQ(world.wtpool({"repair", "slot-1"}).code, 1);
    EXPECT_NE(world.wtpool({"doctor", "--repair"}).code, 0);
    EXPECT_EQ(world.state_of("slot-0"), "held");
    EXPECT_EQ(world.state_of("slot-1"), "idle");
  }
  EXPECT_TRUE(fs::exists(idle / "README.md"));
  EXPECT_FALSE(fs::exists(world.root() / "app/.meta/quarantine"));
  bring_back();
  expect_as_before();
}

TEST_F(SourceAway, AnEmptyDirectoryInItsPlaceIsNoSourceEither) {
  take_away();
  fs::create_directories(repo.path() / ".git");
  EXPECT_EQ(world.wtpool({"renew", "held", "--ttl", "1h"}).code, 1);
  const auto outcome = world.wtpool({"acquire", "y"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.err.find(repo.path().string()), std::string::npos) << outcome;
  fs::remove_all(repo.path());
  bring_back();
  expect_as_before();
}

TEST_F(SourceAway, ARecycleIsDoneWhenItIsBack) {
  write_text(held / "README.md", "work\n");
  world.stop_daemon();
  const auto held_up = world.dir() / "held-up";
  write_text(held_up, "");
  world.environment["WTPOOL_FAILPOINT"] = "recycle.begun:wait=" + held_up.string();
  world.start_daemon();
  Process waits = world.start_wtpool({"release", "held", "--wait"});
  ASSERT_TRUE(world.wait_for_state("slot-0", "recycling"));
  take_away();
  fs::remove(held_up);
  EXPECT_EQ(waits.wait().code, 1) << "whoever waits for it is told";
  EXPECT_EQ(world.state_of("slot-0"), "recycling");
  bring_back();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_EQ(repo.trash_refs().size(), 1u);
}

// Of an acquire that was under way: held at a step of it, or of its roll-back, while the source goes.
class SourceAwayInAnAcquire : public SourceAway {
 protected:
  void acquire_while_it_goes(const std::string& step) {
    world.stop_daemon();
    write_text(here(), "");
    world.environment["WTPOOL_FAILPOINT"] = step + ":wait=" + here().string() + "," + step + ":log=" + come().string();
    world.start_daemon();
    Process client = world.start_wtpool({"acquire", "y"});
    ASSERT_TRUE(wait_until([&] { return fs::exists(come()); })) << client.err_so_far();
    take_away();
    fs::remove(here());
    const auto outcome = client.wait();
    EXPECT_EQ(outcome.code, 1) << outcome;
    EXPECT_NE(outcome.err.find(repo.path().string()), std::string::npos) << outcome;
    bring_back();
  }
  [[nodiscard]] fs::path here() const { return world.dir() / "here"; }
  [[nodiscard]] fs::path come() const { return world.dir() / "come"; }
  void expect_nothing_of_it(const std::string& slot, const std::string& state) {
    EXPECT_TRUE(world.wait_for_state(slot, state)) << world.state_of(slot);
    EXPECT_FALSE(repo.has_branch("y"));
    EXPECT_FALSE(fs::exists(world.root() / "app/.meta/quarantine"));
  }
};

TEST_F(SourceAwayInAnAcquire, AnIdleSlotIsIdleAgain) {
  acquire_while_it_goes("acquire.marker-written");
  expect_nothing_of_it("slot-1", "idle");
  EXPECT_FALSE(fs::exists(marker_of(idle)));
  expect_as_before();
}

TEST_F(SourceAwayInAnAcquire, AFreshSlotIsFreshAgain) {
  world.acquire("third");
  acquire_while_it_goes("acquire.fresh-marker-written");
  expect_nothing_of_it("slot-2", "fresh");
  EXPECT_FALSE(fs::exists(world.root() / "app/slot-2"));
  EXPECT_FALSE(fs::exists(repo.path() / ".git/worktrees/slot-2"));
  world.release("third");
  expect_as_before();
}

TEST_F(SourceAwayInAnAcquire, ASlotThatWasPutBackInTimeIsIdle) {
  write_text(repo.path() / ".git/refs/heads/y/of-somebody.lock", "");
  acquire_while_it_goes("acquire.marker-gone");
  expect_nothing_of_it("slot-1", "idle");
  fs::remove_all(repo.path() / ".git/refs/heads/y");
  expect_as_before();
}

}  // namespace
}  // namespace wtpool::test
