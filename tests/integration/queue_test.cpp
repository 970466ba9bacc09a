// Waiting for a slot, and leases that end by themselves.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Queue : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo, {"--max-slots", "1"});
  }
  [[nodiscard]] bool waiting(int count) const {
    return wait_until([&] { return world.json_of({"status"})["queue"] == count; });
  }
  World world;
  Repo repo = world.make_repo();
};

TEST_F(Queue, HandsTheSlotToWhoeverWaitsForIt) {
  const auto slot = world.acquire("first");
  auto second = world.start_wtpool({"acquire", "second", "--wait"});
  ASSERT_TRUE(waiting(1));
  world.release("first");
  const auto outcome = second.wait();
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(trimmed(outcome.out), slot.string());
  EXPECT_EQ(outcome.err, "") << "no progress but on a terminal";
}

TEST_F(Queue, IsServedInItsOrder) {
  world.acquire("holder");
  std::vector<Process> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.push_back(world.start_wtpool({"acquire", "w" + std::to_string(i), "--wait=60s"}));
    ASSERT_TRUE(waiting(i + 1));
  }
  std::string holder = "holder";
  for (int i = 0; i < 4; ++i) {
    world.release(holder);
    EXPECT_EQ(waiters[static_cast<std::size_t>(i)].wait().code, 0);
    holder = "w" + std::to_string(i);
    EXPECT_EQ(world.slot("slot-0")["name"], holder);
  }
}

TEST_F(Queue, EndsAWaitThatTookTooLong) {
  world.acquire("holder");
  const auto outcome = world.wtpool({"acquire", "x", "--wait=200ms"});
  EXPECT_EQ(outcome.code, 8) << outcome;
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(waiting(0));
}

TEST_F(Queue, SaysWhoHoldsTheCommitThatWasWaitedFor) {
  World roomy;
  roomy.start_daemon();
  const auto source = roomy.make_repo();
  roomy.init(source, {"--max-slots", "2"});
  roomy.acquire("first");
  const auto outcome = roomy.wtpool({"acquire", "second", "--unique-sha", "--wait=200ms"});
  EXPECT_EQ(outcome.code, 8) << outcome;
  EXPECT_NE(outcome.err.find("waiting for commit " + source.head() + ", which is held: slot-0 by 'first'"), std::string::npos)
      << outcome;
  EXPECT_NE(outcome.err.find("hint: wtpool inspect slot-0 --pool app"), std::string::npos) << outcome;
}

TEST_F(Queue, IsLeftByWhoeverIsInterruptedOrKilled) {
  world.acquire("holder");
  for (const auto& [signal, code] : {std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}, std::pair{SIGKILL, 137}}) {
    auto waiter = world.start_wtpool({"acquire", "x", "--wait"});
    ASSERT_TRUE(waiting(1));
    waiter.signal(signal);
    EXPECT_EQ(waiter.wait().code, code);
    EXPECT_TRUE(waiting(0));
  }
  EXPECT_FALSE(repo.has_branch("x"));
}

TEST_F(Queue, DoesNotWaitForANameOrABranch) {
  world.acquire("holder");
  EXPECT_EQ(world.wtpool({"acquire", "holder", "--wait"}).code, 6);
  EXPECT_EQ(world.wtpool({"acquire", "main", "--wait"}).code, 9);
  EXPECT_EQ(world.wtpool({"acquire", "x", "--wait=0s"}).code, 4) << "not to wait is not to wait without an end";
}

TEST_F(Queue, ServesARunAsWell) {
  world.acquire("holder");
  auto waiter = world.start_wtpool({"run", "x", "--wait", "--", "sh", "-c", "echo ran"});
  ASSERT_TRUE(waiting(1));
  world.release("holder");
  const auto outcome = waiter.wait();
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(outcome.out, "ran\n");
}

TEST_F(Queue, GetsTheSlotOfALeaseWhoseTimeIsUp) {
  world.acquire("short", {"--ttl", "1s"});
  EXPECT_EQ(world.slot("slot-0")["lease"]["ttl_seconds"], 1);
  const auto outcome = world.wtpool({"acquire", "x", "--wait=30s"});
  EXPECT_EQ(outcome.code, 0) << outcome;
}

TEST_F(Queue, WaitsLongerForALeaseThatIsRenewed) {
  world.acquire("kept", {"--ttl", "1h"});
  const auto before = world.slot("slot-0")["lease"]["expires_at"];
  const auto renewed = world.wtpool({"renew", "kept", "--ttl", "2d"});
  EXPECT_EQ(renewed.code, 0) << renewed;
  EXPECT_EQ(renewed.out, "");
  const auto lease = world.slot("slot-0")["lease"];
  EXPECT_EQ(lease["ttl_seconds"], 172800);
  EXPECT_GT(lease["expires_at"], before);
  EXPECT_NE(world.wtpool({"renew", "nobody"}).code, 0);
}

TEST_F(Queue, GetsTheSlotOfAProcessThatEnded) {
  Process owner({.argv = {"sleep", "300"}, .environment = world.environment});
  world.acquire("owned", {"--owner-pid", std::to_string(owner.pid())});
  const auto lease = world.slot("slot-0")["lease"];
  EXPECT_EQ(lease["kind"], "process");
  EXPECT_EQ(lease["owner_pid"], owner.pid());
  auto waiter = world.start_wtpool({"acquire", "x", "--wait=30s"});
  ASSERT_TRUE(waiting(1));
  owner.signal(SIGKILL);
  owner.wait();
  EXPECT_EQ(waiter.wait().code, 0);
}

}  // namespace
}  // namespace wtpool::test
