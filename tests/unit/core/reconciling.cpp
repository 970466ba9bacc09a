// The reconcile table row by row: at the first load, when a slot is read back, and that doing it twice does nothing.
#include "daemon/core/rules/reconcile.hpp"

#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

class FirstLoad : public Desk {
 protected:
  void load(SlotFacts found) {
    facts = {std::move(found)};
    open_pool();
  }
  Phase phase() { return slot("slot-0").phase; }
};

class ReadingBack : public Desk {
 protected:
  std::size_t jobs_besides_upkeep() const {
    std::size_t count = 0;
    for (const auto& [id, job] : jobs) count += std::holds_alternative<job::ReadBack>(job.spec) ? 0 : 1;
    return count;
  }
  void nothing_more_to_do(const SlotFacts& found) {
    const Phase before = slot("slot-0").phase;
    const auto lease = slot("slot-0").lease;
    const std::size_t running = jobs_besides_upkeep();
    read_back({found});
    EXPECT_EQ(slot("slot-0").phase, before);
    EXPECT_EQ(slot("slot-0").lease, lease);
    EXPECT_EQ(jobs_besides_upkeep(), running);
  }
  Marker held_marker() { return {*slot("slot-0").lease, MarkerState::held, {}, {}}; }
};

TEST_F(FirstLoad, TakesNothingForFresh) {
  SlotFacts none;
  none.slot = SlotId("slot-0");
  load(none);
  EXPECT_EQ(phase(), Phase::fresh);
}

TEST_F(FirstLoad, TakesAGoodWorktreeWithoutAMarkerForIdleAndUnsealed) {
  load(seen("slot-0"));
  EXPECT_EQ(phase(), Phase::idle);
  EXPECT_EQ(slot("slot-0").at, commit('a'));
  EXPECT_FALSE(slot("slot-0").sealed);
}

TEST_F(FirstLoad, AdoptsTheLeaseOfAHeldMarkerFieldByField) {
  const Marker marker = marker_of("x");
  load(seen("slot-0", marker));
  EXPECT_EQ(phase(), Phase::held);
  EXPECT_EQ(slot("slot-0").lease, marker.lease);
  EXPECT_TRUE(jobs.empty());
}

TEST_F(FirstLoad, NamesALeaseOfTheReferenceToolByItsBranch) {
  Marker marker = marker_of("");
  marker.lease.adopted = true;
  SlotFacts found = seen("slot-0", marker);
  found.branch = "feature/y";
  load(found);
  EXPECT_EQ(slot("slot-0").lease->name, "feature/y");
  EXPECT_FALSE(slot("slot-0").ends.has_value());
}

TEST_F(FirstLoad, QuarantinesTheSecondOfTwoLeasesOfOneName) {
  facts = {seen("slot-0", marker_of("x")), seen("slot-1", marker_of("x"))};
  open_pool();
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  EXPECT_EQ(slot("slot-1").phase, Phase::quarantined);
}

TEST_F(FirstLoad, RecoversWhatWasBeingAcquiredReleasedOrMade) {
  for (const MarkerState state : {MarkerState::acquiring, MarkerState::releasing}) {
    Host anew;
    anew.settings = host.settings;
    host = anew;
    jobs.clear();
    load(seen("slot-0", marker_of("x", LeaseKind::durable, state)));
    EXPECT_EQ(phase(), Phase::recovering);
    ASSERT_NE(running<job::Recover>(), nullptr);
    EXPECT_EQ(running<job::Recover>()->grant.git_id, "slot-0");
    end<job::Recover>(done::Idle{commit('a'), commit('7'), "slot-0", {}, {}, false});
    EXPECT_EQ(phase(), Phase::idle);
  }
}

TEST_F(FirstLoad, LetsWhoAsksForTheNameOfAnUnfinishedLeaseBeginWhenItsBranchIsGone) {
  for (const MarkerState state : {MarkerState::acquiring, MarkerState::releasing}) {
    Host anew;
    anew.settings = host.settings;
    host = anew;
    jobs.clear();
    load(seen("slot-0", marker_of("x", LeaseKind::durable, state)));
    const auto again = ask(acquiring("x"));
    const auto another = ask(acquiring("y"));
    EXPECT_FALSE(replies.contains(again) || refusals.contains(again));
    resolve();  // of y alone
    finish_acquire();
    EXPECT_TRUE(replies.contains(another));
    ASSERT_EQ(running<job::Resolve>(), nullptr) << "its branch still stands";
    end<job::Recover>(done::Idle{commit('a'), commit('7'), "slot-0", {}, {}, false});
    resolve();
    finish_acquire();
    EXPECT_TRUE(replies.contains(again));
  }
}

TEST_F(FirstLoad, RefusesTheNameOfAnUnfinishedLeaseWhoseSlotEndsInQuarantineByWhatTheSourceSays) {
  load(seen("slot-0", marker_of("x", LeaseKind::durable, MarkerState::acquiring)));
  const auto again = ask(acquiring("x"));
  fail<job::Recover>(Fault::quarantine);
  done::Resolved resolved;
  resolved.commit = commit('a');
  resolved.tree = commit('7');
  resolved.branch_tip = commit('a');
  end<job::Resolve>(resolved);
  EXPECT_EQ(refused(again), ErrorKind::branch_exists);
}

TEST_F(FirstLoad, RecoversAnIntentAsTheOneWriterOfTheSource) {
  SlotFacts found;
  found.slot = SlotId("slot-0");
  found.intent = true;
  load(found);
  ASSERT_NE(running<job::Recover>(), nullptr);
  EXPECT_TRUE(running<job::Recover>()->grant.source_writer);
  end<job::Recover>(done::Fresh{});
  EXPECT_EQ(phase(), Phase::fresh);
}

TEST_F(FirstLoad, WaitsForAnOrphanedGitAndEndsItAfterAWhile) {
  load(seen("slot-0", marker_of("x", LeaseKind::durable, MarkerState::acquiring)));
  fail<job::Recover>(Fault::slot_busy);
  EXPECT_EQ(running<job::Recover>(), nullptr);
  pass(seconds(1));
  ASSERT_NE(running<job::Recover>(), nullptr);
  EXPECT_FALSE(std::get<job::Recover>(running<job::Recover>()->spec).end_orphan);
  fail<job::Recover>(Fault::slot_busy);
  pass(seconds(11));
  ASSERT_NE(running<job::Recover>(), nullptr);
  EXPECT_TRUE(std::get<job::Recover>(running<job::Recover>()->spec).end_orphan);
}

TEST_F(FirstLoad, QuarantinesAnUnreadableMarkerAGhostAndATornEntryWithTheReason) {
  SlotFacts unreadable = seen("slot-0");
  unreadable.marker_read = SlotFacts::MarkerRead::unreadable;
  unreadable.problem = "line 1 is no mapping";
  SlotFacts ghost = seen("slot-1");
  ghost.directory = SlotFacts::Directory::no_gitfile;
  SlotFacts torn = seen("slot-2");
  torn.entry = SlotFacts::Entry::torn;
  config.max_slots = 4;
  facts = {unreadable, ghost, torn, seen("slot-3")};
  open_pool();
  for (const char* id : {"slot-0", "slot-1", "slot-2"}) {
    EXPECT_EQ(slot(id).phase, Phase::quarantined) << id;
    EXPECT_FALSE(slot(id).reason.empty()) << id;
  }
  EXPECT_NE(slot("slot-0").reason.find("line 1 is no mapping"), std::string::npos);
  EXPECT_EQ(slot("slot-3").phase, Phase::idle);
  EXPECT_NE(running<job::Quarantine>(), nullptr);
}

TEST_F(FirstLoad, KeepsAQuarantineOnRecordAndWritesItNotAgain) {
  SlotFacts found = seen("slot-0", marker_of("x"));
  found.quarantine = "somebody has to look";
  load(found);
  EXPECT_EQ(phase(), Phase::quarantined);
  EXPECT_EQ(slot("slot-0").reason, "somebody has to look");
  EXPECT_TRUE(jobs.empty());
}

TEST_F(FirstLoad, KeepsALeaseWhoseDirectoryIsGone) {
  SlotFacts found = seen("slot-0", marker_of("x"));
  found.directory = SlotFacts::Directory::absent;
  load(found);
  EXPECT_EQ(phase(), Phase::held);
  ask(releasing("x"));
  end<job::Release>(done::Released{false, "", {}, true, {}});
  EXPECT_EQ(phase(), Phase::fresh);
}

TEST_F(ReadingBack, OfALeaseAsItIsDoesNothing) {
  open_pool();
  hold("x");
  nothing_more_to_do(seen("slot-0", held_marker()));
}

TEST_F(ReadingBack, WritesAMarkerAgainThatIsGoneTornOrAnotherInAField) {
  open_pool();
  hold("x");
  SlotFacts gone = seen("slot-0");
  SlotFacts unreadable = seen("slot-0");
  unreadable.marker_read = SlotFacts::MarkerRead::unreadable;
  Marker later = held_marker();
  later.lease.started_at += 1'000'000;
  for (const SlotFacts& found : {gone, unreadable, seen("slot-0", later)}) {
    read_back({found});
    ASSERT_NE(running<job::RewriteMarker>(), nullptr);
    EXPECT_EQ(std::get<job::RewriteMarker>(running<job::RewriteMarker>()->spec).marker, held_marker());
    end<job::RewriteMarker>(done::Plain{});
    nothing_more_to_do(seen("slot-0", held_marker()));
  }
}

TEST_F(ReadingBack, QuarantinesALeaseOverWhichAnothersMarkerStands) {
  open_pool();
  hold("x");
  const SlotFacts found = seen("slot-0", marker_of("y"));
  read_back({found});
  EXPECT_EQ(slot("slot-0").phase, Phase::quarantined);
  end<job::Quarantine>(done::Plain{});
  nothing_more_to_do(found);
}

TEST_F(ReadingBack, KeepsALeaseWithoutItsTree) {
  open_pool();
  hold("x");
  SlotFacts none;
  none.slot = SlotId("slot-0");
  read_back({none});
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  EXPECT_TRUE(slot("slot-0").directory_gone);
  nothing_more_to_do(none);
}

TEST_F(ReadingBack, FindsAnIdleSlotDeletedAndMadeByHand) {
  facts = {seen("slot-0")};
  open_pool();
  SlotFacts none;
  none.slot = SlotId("slot-0");
  read_back({none});
  EXPECT_EQ(slot("slot-0").phase, Phase::fresh);
  nothing_more_to_do(none);
  read_back({seen("slot-0")});
  EXPECT_EQ(slot("slot-0").phase, Phase::idle);
  nothing_more_to_do(seen("slot-0"));
}

TEST_F(ReadingBack, NeverAdoptsAMarkerThatAppeared) {
  facts = {seen("slot-0")};
  open_pool();
  read_back({seen("slot-0", marker_of("x"))});
  EXPECT_EQ(slot("slot-0").phase, Phase::quarantined);
  EXPECT_FALSE(slot("slot-0").lease.has_value());
}

TEST_F(ReadingBack, KeepsNobodyWaitingWhoComesAtOnce) {
  facts = {seen("slot-0"), seen("slot-1")};
  open_pool();
  host.changed_by[SessionId(99)].insert(PoolKey("app"));
  happen(event::SessionClosed{SessionId(99)});
  EXPECT_EQ(running<job::ReadBack>(), nullptr);
  ask(acquiring("x"));
  resolve();
  EXPECT_NE(running<job::Acquire>(), nullptr);
  pass(std::chrono::milliseconds(100));
  ASSERT_NE(running<job::ReadBack>(), nullptr);
  EXPECT_EQ(std::get<job::ReadBack>(running<job::ReadBack>()->spec).slots.size(), 1u);
}

TEST_F(ReadingBack, DoesNotCountWhenTheSlotChangedMeanwhile) {
  facts = {seen("slot-0"), seen("slot-1")};
  open_pool();
  begin_reading();
  ask(acquiring("x"));
  resolve();
  EXPECT_EQ(running<job::Acquire>(), nullptr);  // the slots are being read
  SlotFacts none;
  none.slot = SlotId("slot-0");
  end<job::ReadBack>(done::ReadSlots{{none, seen("slot-1")}});
  EXPECT_EQ(slot("slot-0").phase, Phase::acquiring);
  ASSERT_NE(running<job::Acquire>(), nullptr);
}

TEST(Reconcile, NeverTouchesWhatAJobIsBusyWithOrAPersonHasToLookAt) {
  for (std::size_t seen = 0; seen < kSeenCount; ++seen) {
    EXPECT_EQ(reconcile(static_cast<Seen>(seen), Holds::busy), Action::nothing);
    EXPECT_EQ(reconcile(static_cast<Seen>(seen), Holds::quarantined), Action::nothing);
  }
}

}  // namespace
}  // namespace wtpool::core
