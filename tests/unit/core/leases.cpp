// Acquire and release, rule by rule.
#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

class Acquire : public Desk {};
class Release : public Desk {};

TEST_F(Acquire, AnswersOnlyWhenTheMarkerIsDurable) {
  open_pool();
  const RequestId id = ask(acquiring("x"));
  resolve();
  EXPECT_FALSE(replies.contains(id));
  ASSERT_NE(running<job::Acquire>(), nullptr);
  EXPECT_TRUE(running<job::Acquire>()->grant.source_writer);
  finish_acquire();
  ASSERT_TRUE(replies.contains(id));
  EXPECT_TRUE(receipts[id].has_value());
  const auto& result = std::get<proto::AcquireResult>(replies[id]);
  EXPECT_EQ(result.path, "/pools/app/slot-0");
  EXPECT_TRUE(result.fresh);
}

TEST_F(Acquire, WaitsForAPoolThatIsStillBeingLoaded) {
  happen(event::PoolsSeen{{{PoolKey("app"), "f", 1}}});
  ask(acquiring("x"));
  EXPECT_EQ(running<job::Resolve>(), nullptr);
  end<job::LoadPool>(loaded());
  EXPECT_NE(running<job::Resolve>(), nullptr);
}

TEST_F(Acquire, RefusesMoreTextThanAQueueMayHold) {
  open_pool();
  auto params = acquiring("x");
  params.key = std::string(20'000, 'k');
  EXPECT_EQ(refused(ask(params)), ErrorKind::invalid_params);
  params.key.reset();
  params.exclude_submodule_tags.assign(2'000, "a");
  EXPECT_EQ(refused(ask(params)), ErrorKind::invalid_params);
}

TEST_F(Acquire, RefusesANameOfTheFormOfASlotId) {
  open_pool();
  EXPECT_EQ(refused(ask(acquiring("slot-7"))), ErrorKind::bad_name);
}

TEST_F(Acquire, RefusesANameThatIsHeldAndSaysByWhom) {
  open_pool();
  hold("x");
  const RequestId second = ask(acquiring("x"));
  EXPECT_EQ(refused(second), ErrorKind::name_held);
  EXPECT_EQ(refusals[second].holder, "x");
  EXPECT_EQ(refusals[second].slot, "slot-0");
}

TEST_F(Acquire, GivesTheSameLeaseBackForTheSameKey) {
  open_pool();
  auto params = acquiring("x");
  params.key = "k";
  const RequestId first = ask(params);
  resolve();
  const RequestId joined = ask(params);
  finish_acquire();
  const RequestId later = ask(params);
  for (const RequestId id : {first, joined, later}) {
    ASSERT_TRUE(replies.contains(id));
    EXPECT_EQ(std::get<proto::AcquireResult>(replies[id]).lease_id, std::get<proto::AcquireResult>(replies[first]).lease_id);
    EXPECT_TRUE(receipts[id].has_value());
  }
}

TEST_F(Acquire, GivesNoLeaseThatEndsInAnotherWayBackForTheSameKey) {
  open_pool();
  auto params = acquiring("x");
  params.key = "build-7";
  ask(params);
  resolve();
  finish_acquire();
  params.lease_kind = LeaseKind::connection;
  EXPECT_EQ(refused(ask(params)), ErrorKind::name_held);
  params.lease_kind = LeaseKind::process;
  params.name = "z";
  ask(params, kSession, Owner{7, 1, "boot"});
  resolve();
  finish_acquire();
  EXPECT_TRUE(replies.contains(ask(params, kSession, Owner{7, 1, "boot"})));
  EXPECT_EQ(refused(ask(params, kSession, Owner{8, 2, "boot"})), ErrorKind::name_held);
  params = acquiring("y");
  params.key = "";
  EXPECT_EQ(refused(ask(params)), ErrorKind::invalid_params);
}

TEST_F(Acquire, RefusesABranchThatExistsUnlessResumedOrReplaced) {
  open_pool();
  const RequestId id = ask(acquiring("x"));
  done::Resolved resolved;
  resolved.commit = commit('a');
  resolved.branch_tip = commit('b');
  end<job::Resolve>(resolved);
  EXPECT_EQ(refused(id), ErrorKind::branch_exists);
  auto params = acquiring("x");
  params.resume = true;
  ask(params);
  end<job::Resolve>(resolved);
  ASSERT_NE(running<job::Acquire>(), nullptr);
  const auto& spec = std::get<job::Acquire>(running<job::Acquire>()->spec);
  EXPECT_EQ(spec.lease.full_sha, commit('b'));
  EXPECT_FALSE(spec.lease.branch_base.has_value());
}

TEST_F(Acquire, FetchesOnceForAllWhoMissACommit) {
  open_pool();
  const RequestId one = ask(acquiring("x"));
  const RequestId two = ask(acquiring("y"));
  end<job::Resolve>(done::Resolved{});
  end<job::Resolve>(done::Resolved{});
  std::size_t fetches = 0;
  for (const auto& [id, job] : jobs) fetches += std::holds_alternative<job::Fetch>(job.spec) ? 1 : 0;
  EXPECT_EQ(fetches, 1u);
  end<job::Fetch>(done::Fetched{});
  EXPECT_TRUE(std::get<job::Resolve>(running<job::Resolve>()->spec).last_try);
  end<job::Resolve>(done::Resolved{});
  end<job::Resolve>(done::Resolved{});
  EXPECT_EQ(refused(one), ErrorKind::commit_unknown);
  EXPECT_EQ(refused(two), ErrorKind::commit_unknown);
}

TEST_F(Acquire, SaysWhoHoldsEverySlotWhenAllAreTaken) {
  config.max_slots = 1;
  open_pool();
  hold("x");
  const RequestId id = ask(acquiring("y"));
  resolve();
  EXPECT_EQ(refused(id), ErrorKind::at_capacity);
  EXPECT_EQ(refusals[id].hint, "wtpool release x --pool app");
  EXPECT_EQ(refusals[id].details.size(), 2u);
}

TEST_F(Acquire, ServesThoseWhoWaitInOrderOfArrivalAndThoseWhoOnlySitOutARecycleAfterThem) {
  config.max_slots = 1;
  open_pool();
  hold("x");
  auto params = acquiring("y");
  params.wait_ms = 0;
  ask(params);
  resolve();
  ask(releasing("x"));
  end<job::Release>(done::Released{});
  const RequestId no_wait = ask(acquiring("z"));
  resolve();
  recycle();
  ASSERT_NE(running<job::Acquire>(), nullptr);
  EXPECT_EQ(std::get<job::Acquire>(running<job::Acquire>()->spec).lease.name, "y");
  EXPECT_EQ(refused(no_wait), ErrorKind::at_capacity);
}

TEST_F(Acquire, GivesUpWaitingWhenItsTimeIsOver) {
  config.max_slots = 1;
  open_pool();
  hold("x");
  auto params = acquiring("y");
  params.wait_ms = 5000;
  const RequestId id = ask(params);
  resolve();
  EXPECT_EQ(waiting_count(host), 1u);
  pass(seconds(5));
  EXPECT_EQ(refused(id), ErrorKind::timed_out);
  EXPECT_EQ(waiting_count(host), 0u);
}

TEST_F(Acquire, PassesOverSlotsThatSomebodyElseHasLocked) {
  open_pool();
  const RequestId id = ask(acquiring("x"));
  resolve();
  fail<job::Acquire>(Fault::slot_busy);
  EXPECT_EQ(running<job::Acquire>()->grant.slot, SlotId("slot-1"));
  fail<job::Acquire>(Fault::slot_busy);
  EXPECT_EQ(refused(id), ErrorKind::contended);
}

TEST_F(Acquire, WaitingTriesASlotAgainWhoseLockMayBeFree) {
  open_pool();
  const RequestId held = ask(acquiring("held"));
  resolve();
  finish_acquire();
  ASSERT_TRUE(replies.contains(held));
  auto waits = acquiring("first");
  waits.wait_ms = 0;
  const RequestId first = ask(waits);
  resolve();
  fail<job::Acquire>(Fault::slot_busy);
  end<job::ReadBack>(done::ReadSlots{});
  EXPECT_EQ(waiting_count(host), 1u);
  waits.name = "second";
  const RequestId second = ask(waits);
  resolve();
  const RequestId no_wait = ask(acquiring("no_wait"));
  resolve();
  EXPECT_EQ(running<job::Acquire>(), nullptr) << "who came later does not get past who waits for the lock";
  EXPECT_EQ(refused(no_wait), ErrorKind::contended);
  pass(seconds(1));
  EXPECT_EQ(std::get<job::Acquire>(running<job::Acquire>()->spec).request, first);
  fail<job::Acquire>(Fault::slot_busy);
  end<job::ReadBack>(done::ReadSlots{});
  EXPECT_EQ(running<job::Acquire>(), nullptr) << "one try a time is enough for all";
  EXPECT_EQ(waiting_count(host), 2u);
  pass(seconds(1));
  finish_acquire();
  EXPECT_TRUE(replies.contains(first));
  EXPECT_FALSE(replies.contains(second));
}

// Else whoever waits first would be passed over by a slot that failed once, while it is given to others again and again.
TEST_F(Acquire, WaitingTriesASlotAgainThatFailedForIt) {
  open_pool();
  ask(acquiring("held"));
  resolve();
  finish_acquire();
  auto waits = acquiring("first");
  waits.wait_ms = 0;
  const RequestId first = ask(waits);
  resolve();
  fail<job::Acquire>(Fault::slot_fault);
  if (running<job::ReadBack>() != nullptr) end<job::ReadBack>(done::ReadSlots{});
  EXPECT_EQ(waiting_count(host), 1u);
  EXPECT_EQ(running<job::Acquire>(), nullptr) << "not at once";
  pass(seconds(1));
  ASSERT_NE(running<job::Acquire>(), nullptr);
  EXPECT_EQ(std::get<job::Acquire>(running<job::Acquire>()->spec).request, first);
  finish_acquire();
  EXPECT_TRUE(replies.contains(first));
}

// `w` has slot-1 set aside and waits to try it again, when it is somebody else's for a moment.
TEST_F(Acquire, WaitingTriesASlotAgainThatSomebodyElseGaveUpMeanwhile) {
  open_pool();
  hold("held");
  auto waits = acquiring("w");
  waits.wait_ms = 0;
  const RequestId w = ask(waits);
  resolve();
  fail<job::Acquire>(Fault::slot_fault);
  if (running<job::ReadBack>() != nullptr) end<job::ReadBack>(done::ReadSlots{});
  const RequestId other = ask(acquiring("other"));
  resolve();
  ASSERT_NE(running<job::Acquire>(), nullptr);
  EXPECT_EQ(std::get<job::Acquire>(running<job::Acquire>()->spec).request, other);
  pass(seconds(1));
  happen(event::Cancel{other});
  fail<job::Acquire>(Fault::cancelled);
  EXPECT_EQ(refused(other), ErrorKind::cancelled);
  if (running<job::ReadBack>() != nullptr) end<job::ReadBack>(done::ReadSlots{});
  pass(seconds(1));
  ASSERT_NE(running<job::Acquire>(), nullptr);
  EXPECT_EQ(std::get<job::Acquire>(running<job::Acquire>()->spec).request, w);
}

TEST_F(Acquire, WaitingTriesASlotAgainThatFailedForSomebodyWhoLeft) {
  open_pool();
  hold("held");
  auto waits = acquiring("w");
  waits.wait_ms = 0;
  const RequestId w = ask(waits);
  resolve();
  fail<job::Acquire>(Fault::slot_fault);
  if (running<job::ReadBack>() != nullptr) end<job::ReadBack>(done::ReadSlots{});
  const RequestId other = ask(acquiring("other"));
  resolve();
  pass(seconds(1));
  happen(event::Cancel{other});
  fail<job::Acquire>(Fault::slot_busy);
  if (running<job::ReadBack>() != nullptr) end<job::ReadBack>(done::ReadSlots{});
  EXPECT_EQ(running<job::Acquire>(), nullptr) << "another program has its lock";
  pass(seconds(1));
  ASSERT_NE(running<job::Acquire>(), nullptr);
  EXPECT_EQ(std::get<job::Acquire>(running<job::Acquire>()->spec).request, w);
}

TEST_F(Acquire, WaitingTriesASlotThatWasMadeFreshAgain) {
  facts = {seen("slot-0", marker_of("held")), seen("slot-1")};
  open_pool();
  auto waits = acquiring("w");
  waits.wait_ms = 0;
  const RequestId w = ask(waits);
  resolve();
  fail<job::Acquire>(Fault::slot_fault);
  if (running<job::ReadBack>() != nullptr) end<job::ReadBack>(done::ReadSlots{});
  EXPECT_EQ(waiting_count(host), 1u);
  ask(proto::SlotRemoveParams{{}, "slot-1"});
  end<job::RemoveSlot>(done::Fresh{});
  ASSERT_NE(running<job::Acquire>(), nullptr);
  EXPECT_EQ(std::get<job::Acquire>(running<job::Acquire>()->spec).request, w);
}

TEST_F(Acquire, QuarantinesASlotAtItsThirdFault) {
  config.max_slots = 1;
  open_pool();
  for (int times = 0; times < 3; ++times) {
    ask(acquiring("x"));
    resolve();
    fail<job::Acquire>(Fault::slot_fault);
    if (running<job::ReadBack>() != nullptr) end<job::ReadBack>(done::ReadSlots{});
  }
  EXPECT_EQ(slot("slot-0").phase, Phase::quarantined);
}

TEST_F(Acquire, ThatWasNotTakenBackIsRecoveredFromLikeADeadDaemons) {
  open_pool();
  const RequestId id = ask(acquiring("x"));
  resolve();
  const auto lease = std::get<job::Acquire>(running<job::Acquire>()->spec).lease;
  end_with<job::Acquire>(JobFailed{Fault::source_fault, Error(ErrorKind::git_failed, "it failed"), true});
  EXPECT_EQ(refused(id), ErrorKind::git_failed);
  ASSERT_NE(running<job::Recover>(), nullptr);
  const auto& left = std::get<job::Recover>(running<job::Recover>()->spec).facts;
  ASSERT_TRUE(left.marker);
  EXPECT_EQ(left.marker->lease.id, lease.id);
  EXPECT_EQ(left.marker->state, MarkerState::acquiring);
  // Its branch may still be there.
  const RequestId again = ask(acquiring("x"));
  EXPECT_EQ(running<job::Resolve>(), nullptr);
  end<job::Recover>(done::Fresh{});
  EXPECT_NE(running<job::Resolve>(), nullptr);
  EXPECT_FALSE(refusals.contains(again));
}

TEST_F(Acquire, DoesNotBeginInAnotherSlotWhileItsNameIsTakenBackInTheFirst) {
  open_pool();
  const RequestId id = ask(acquiring("x"));
  resolve();
  end_with<job::Acquire>(JobFailed{Fault::slot_fault, Error(ErrorKind::git_failed, "it failed"), true});
  EXPECT_EQ(refused(id), ErrorKind::git_failed);
  EXPECT_EQ(running<job::Acquire>(), nullptr);
  EXPECT_NE(running<job::Recover>(), nullptr);
}

TEST_F(Acquire, WaitsForANameThatIsTakenBackAlsoWhenItsCommitWasLookedUpMeanwhile) {
  open_pool();
  ask(acquiring("x"));
  const RequestId late = ask(acquiring("x"));
  resolve();
  end_with<job::Acquire>(JobFailed{Fault::source_fault, Error(ErrorKind::git_failed, "it failed"), true});
  done::Resolved found;
  found.commit = commit('a');
  found.branch_tip = commit('a');  // the one that is on its way out
  end<job::Resolve>(found);
  EXPECT_FALSE(refusals.contains(late));
  end<job::Recover>(done::Fresh{});
  resolve();
  end<job::ReadBack>(done::ReadSlots{});
  EXPECT_NE(running<job::Acquire>(), nullptr);
}

TEST_F(Acquire, QuarantinesNothingInAPoolThatIsNoLongerThere) {
  open_pool();
  const RequestId id = ask(acquiring("x"));
  resolve();
  happen(event::PoolsSeen{{}});
  fail<job::Acquire>(Fault::quarantine);
  EXPECT_TRUE(refusals.contains(id));
  EXPECT_EQ(running<job::Quarantine>(), nullptr);
}

TEST_F(Acquire, RollsBackALeaseThatNobodyConfirmed) {
  open_pool();
  auto params = acquiring("x");
  params.confirm = true;
  ask(params);
  resolve();
  finish_acquire();
  happen(event::SessionClosed{kSession});
  ASSERT_NE(running<job::Release>(), nullptr);
  EXPECT_EQ(std::get<job::Release>(running<job::Release>()->spec).dirty, Dirty::save);
}

TEST_F(Acquire, AnswersACancelOnceTheJobHasRolledBack) {
  open_pool();
  const RequestId id = ask(acquiring("x"));
  resolve();
  happen(event::Cancel{id});
  EXPECT_FALSE(refusals.contains(id));
  fail<job::Acquire>(Fault::cancelled);
  EXPECT_EQ(refused(id), ErrorKind::cancelled);
}

TEST_F(Release, IsAnsweredBeforeTheRecycle) {
  open_pool();
  hold("x");
  const RequestId id = ask(releasing("x"));
  EXPECT_FALSE(replies.contains(id));
  end<job::Release>(done::Released{});
  EXPECT_TRUE(replies.contains(id));
  EXPECT_EQ(slot("slot-0").phase, Phase::recycling);
  recycle();
  EXPECT_EQ(slot("slot-0").phase, Phase::idle);
}

TEST_F(Release, OfSomethingUnknownIsDoneAlready) {
  open_pool();
  const RequestId id = ask(releasing("nobody"));
  ASSERT_TRUE(replies.contains(id));
  EXPECT_TRUE(std::get<proto::ReleaseResult>(replies[id]).already);
}

TEST_F(Release, OfADirtySlotThatIsRefusedLeavesItHeld) {
  open_pool();
  hold("x");
  const RequestId id = ask(releasing("x"));
  fail<job::Release>(Fault::source_fault, ErrorKind::dirty);
  EXPECT_EQ(refused(id), ErrorKind::dirty);
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
}

TEST_F(Release, OfAnotherLeaseIsRefused) {
  open_pool();
  hold("x");
  auto params = releasing("x");
  params.lease_id = "ff";
  EXPECT_EQ(refused(ask(params)), ErrorKind::lease_lost);
}

TEST_F(Release, ComesByItselfWhenTheTimeToLiveIsOver) {
  open_pool();
  auto params = acquiring("x");
  params.ttl_seconds = 60;
  ask(params);
  resolve();
  finish_acquire();
  pass(seconds(59));
  EXPECT_EQ(running<job::Release>(), nullptr);
  pass(seconds(1));
  EXPECT_NE(running<job::Release>(), nullptr);
}

TEST_F(Release, LeavesLeasesAloneWhenTheDaemonShutsDown) {
  open_pool();
  hold("x");
  happen(event::Shutdown{});
  EXPECT_TRUE(drained);
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  EXPECT_EQ(refused(ask(acquiring("y"))), ErrorKind::shutting_down);
}

}  // namespace
}  // namespace wtpool::core
