// Pools that come, go away and come back, are made and are removed.
#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

class Pools : public Desk {
 protected:
  void see(const std::string& fingerprint, std::uint64_t device = 1) {
    happen(event::PoolsSeen{{{PoolKey("app"), fingerprint, device}}});
  }
};

TEST_F(Pools, AreUnavailableOnAnotherDeviceAndBackWithTheirLeases) {
  open_pool();
  hold("x");
  see("f", 2);
  EXPECT_EQ(refused(ask(acquiring("y"))), ErrorKind::pool_unavailable);
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  pass(seconds(3600));
  EXPECT_TRUE(jobs.empty());
  see("f", 1);
  facts = {seen("slot-0", Marker{*slot("slot-0").lease, MarkerState::held, {}, {}})};
  end<job::LoadPool>(loaded());
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  ask(acquiring("y"));
  EXPECT_NE(running<job::Resolve>(), nullptr);
}

TEST_F(Pools, WithoutTheirRootRefuseWhoWaitsAndLetNoLeaseEnd) {
  config.max_slots = 1;
  open_pool();
  auto params = acquiring("x");
  params.ttl_seconds = 5;
  ask(params);
  resolve();
  finish_acquire();
  auto waits = acquiring("y");
  waits.wait_ms = 0;
  const RequestId waiting = ask(waits);
  resolve();
  happen(event::PoolsSeen{});
  EXPECT_EQ(refused(waiting), ErrorKind::pool_unavailable);
  pass(seconds(10));
  EXPECT_TRUE(jobs.empty());
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
}

TEST_F(Pools, WhoseLockIsNotHadForAMinuteAreUnavailable) {
  see("f");
  const RequestId id = ask(acquiring("x"));
  for (int half_seconds = 0; half_seconds < 119; ++half_seconds) {
    fail<job::LoadPool>(Fault::slot_busy);
    pass(std::chrono::milliseconds(500));
    ASSERT_FALSE(refusals.contains(id));
  }
  pass(seconds(2));
  fail<job::LoadPool>(Fault::slot_busy);
  if (running<job::LoadPool>() != nullptr) fail<job::LoadPool>(Fault::slot_busy);  // one last look
  EXPECT_EQ(refused(id), ErrorKind::pool_unavailable);
  const RequestId later = ask(acquiring("x"));
  end<job::LoadPool>(loaded());
  EXPECT_FALSE(refusals.contains(later));
  EXPECT_NE(running<job::Resolve>(), nullptr);
}

TEST_F(Pools, ThatNobodyAskedForWhileTheyWereLockedAreWaitedForWhenSomebodyDoes) {
  see("f");
  fail<job::LoadPool>(Fault::slot_busy);
  const RequestId id = ask(acquiring("x"));
  fail<job::LoadPool>(Fault::slot_busy);
  EXPECT_FALSE(refusals.contains(id));
  pass(seconds(1));
  end<job::LoadPool>(loaded());
  EXPECT_NE(running<job::Resolve>(), nullptr);
}

TEST_F(Pools, WithABadConfigKeepTheLastGoodOneAndSaySo) {
  open_pool();
  see("g");
  ask(acquiring("x"));
  fail<job::LoadPool>(Fault::source_fault, ErrorKind::bad_config);
  EXPECT_TRUE(warned("the last good config is used"));
  EXPECT_NE(running<job::Resolve>(), nullptr);
}

TEST_F(Pools, TakeAChangedConfigAtTheNextRequest) {
  open_pool();
  see("g");
  config.max_slots = 3;
  const RequestId id = ask(proto::SlotListParams{});
  end<job::LoadPool>(loaded());
  EXPECT_EQ(std::get<proto::SlotListResult>(replies[id]).slots.size(), 3u);
}

TEST_F(Pools, WhoseFirstConfigIsBadSayWhy) {
  see("f");
  const RequestId id = ask(acquiring("x"));
  fail<job::LoadPool>(Fault::source_fault, ErrorKind::bad_config);
  if (running<job::LoadPool>() != nullptr) fail<job::LoadPool>(Fault::source_fault, ErrorKind::bad_config);
  EXPECT_EQ(refused(id), ErrorKind::bad_config);
}

TEST_F(Pools, UseSurplusSlotsBeforeANewOneAndNeverMakeOne) {
  facts = {seen("slot-1"), seen("slot-7")};
  open_pool();
  for (const char* wanted : {"slot-7", "slot-1"}) {
    ask(acquiring(std::string("for-") + wanted));
    resolve();
    ASSERT_NE(running<job::Acquire>(), nullptr);
    finish_acquire();
    EXPECT_NE(slot(wanted).phase, Phase::fresh);
  }
  const RequestId id = ask(acquiring("more"));
  resolve();
  EXPECT_EQ(refused(id), ErrorKind::at_capacity);
}

TEST_F(Pools, CountSlotsPerGroupAndAskForOne) {
  config.groups = {"ios", "mac"};
  config.max_slots = 1;
  open_pool();
  EXPECT_EQ(refused(ask(acquiring("x"))), ErrorKind::invalid_params);
  auto params = acquiring("x");
  params.group = "windows";
  EXPECT_EQ(refused(ask(params)), ErrorKind::invalid_params);
  for (const char* group : {"ios", "mac"}) {
    params = acquiring(std::string("on-") + group);
    params.group = group;
    ask(params);
    resolve();
    finish_acquire();
    EXPECT_EQ(slot(std::string(group) + "-0").phase, Phase::held);
  }
  params.name = "third";
  const RequestId id = ask(params);
  resolve();
  EXPECT_EQ(refused(id), ErrorKind::at_capacity);
  EXPECT_EQ(refusals[id].details.size(), 2u);  // the header, and the one of its own group
}

TEST_F(Pools, AreMadeOnceAndAnsweredWhenTheyAreLoaded) {
  const RequestId id = ask(proto::PoolInitParams{{}, "/src", {}, {}, {}, {}, {}, {}});
  end<job::InitPool>(done::PoolMade{{"app", "/src", "/pools/app"}});
  EXPECT_FALSE(replies.contains(id));
  end<job::LoadPool>(loaded());
  EXPECT_EQ(std::get<proto::PoolInitResult>(replies[id]).pool, "app");
  const RequestId again = ask(proto::PoolInitParams{{}, "/src", {}, {}, {}, {}, {}, {}});
  fail<job::InitPool>(Fault::source_fault, ErrorKind::pool_exists);
  EXPECT_EQ(refused(again), ErrorKind::pool_exists);
}

TEST_F(Pools, AreNotRemovedWhileASlotIsHeld) {
  open_pool();
  hold("x");
  const RequestId id = ask(proto::PoolRemoveParams{"app"});
  EXPECT_EQ(refused(id), ErrorKind::slot_held);
  EXPECT_EQ(refusals[id].hint, "wtpool inspect slot-0 --pool app");
}

TEST_F(Pools, AreRemovedSlotBySlotOnceARecycleIsOver) {
  open_pool();
  hold("x");
  ask(releasing("x"));
  end<job::Release>(done::Released{});
  const RequestId id = ask(proto::PoolRemoveParams{"app"});
  EXPECT_EQ(running<job::RemoveSlot>(), nullptr);
  recycle();
  EXPECT_TRUE(running<job::RemoveSlot>()->grant.source_writer);
  end<job::RemoveSlot>(done::Fresh{});
  end<job::RemovePool>(done::PoolRemoved{{"2 entries stay"}});
  EXPECT_TRUE(replies.contains(id));
  EXPECT_TRUE(warned("2 entries stay"));
  EXPECT_TRUE(host.pools.empty());
}

TEST_F(Pools, AreFoundByTheDirectoryOfASlotOrOfTheSource) {
  happen(event::PoolsSeen{{{PoolKey("app"), "f", 1}, {PoolKey("other"), "f", 1}}});
  end<job::LoadPool>(loaded());
  auto other = loaded();
  other.place = {"/pools/other", SourceId("/elsewhere/.git"), "/elsewhere", 1};
  end<job::LoadPool>(other);
  const auto pool_at = [&](const std::string& cwd) -> std::string {
    auto params = acquiring("x");
    params.scope.cwd = cwd;
    const RequestId id = ask(params);
    const auto* job = running<job::Resolve>();
    if (job == nullptr) return std::string(proto::info(refused(id)).name);
    std::string key = std::get<job::Resolve>(job->spec).pool.str();
    end<job::Resolve>(done::Resolved{});
    while (running<job::Fetch>() != nullptr) end<job::Fetch>(done::Fetched{});
    if (running<job::Resolve>() != nullptr) end<job::Resolve>(done::Resolved{});
    return key;
  };
  EXPECT_EQ(pool_at("/pools/other/slot-1/deep"), "other");
  EXPECT_EQ(pool_at("/src/lib"), "app");
  EXPECT_EQ(pool_at("/srcs"), "pool_ambiguous");
}

}  // namespace
}  // namespace wtpool::core
