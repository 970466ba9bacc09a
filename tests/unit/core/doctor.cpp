// `doctor --repair` while the pools are served: which slots its job gets, and what becomes of what it found.
#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

class Doctor : public Desk {
 protected:
  RequestId ask_for_repair() { return ask(proto::HostDoctorParams{true}); }
  void no_locks() { end<job::HealLocks>(done::Healed{}); }
  std::vector<SlotId> healed_slots() const {
    return running<job::Heal>() == nullptr ? std::vector<SlotId>{} : std::get<job::Heal>(running<job::Heal>()->spec).slots;
  }
};

TEST_F(Doctor, GetsTheSlotsThatAreNobodys) {
  facts = {seen("slot-0", marker_of("x")), seen("slot-1")};
  open_pool();
  ask_for_repair();
  EXPECT_EQ(healed_slots(), std::vector<SlotId>{SlotId("slot-1")});
  EXPECT_TRUE(running<job::Heal>()->grant.source_writer);
}

TEST_F(Doctor, WaitsForASlotThatIsBeingRead) {
  facts = {seen("slot-0"), seen("slot-1")};
  open_pool();
  begin_reading();
  ask_for_repair();
  EXPECT_EQ(running<job::Heal>(), nullptr);
  SlotFacts ghost = seen("slot-0");
  ghost.directory = SlotFacts::Directory::no_gitfile;
  end<job::ReadBack>(done::ReadSlots{{ghost, seen("slot-1")}});
  if (running<job::Quarantine>() != nullptr) end<job::Quarantine>(done::Plain{});
  EXPECT_EQ(healed_slots().size(), 2u);
}

TEST_F(Doctor, LeavesNoRecordOfAQuarantineThatItEnded) {
  facts = {seen("slot-0")};
  open_pool();
  ask_for_repair();
  host.changed_by[SessionId(99)].insert(PoolKey("app"));
  happen(event::SessionClosed{SessionId(99)});
  done::Healed healed;
  healed.slots = {seen("slot-0")};
  healed.slots.front().directory = SlotFacts::Directory::no_gitfile;
  end<job::Heal>(healed);
  EXPECT_EQ(slot("slot-0").phase, Phase::quarantined);
  no_locks();
  const RequestId again = ask_for_repair();
  while (running<job::Heal>() == nullptr && running<job::Quarantine>() != nullptr) end<job::Quarantine>(done::Plain{});
  if (running<job::ReadBack>() != nullptr) end<job::ReadBack>(done::ReadSlots{});
  if (running<job::Quarantine>() != nullptr) end<job::Quarantine>(done::Plain{});
  done::Healed freed;
  freed.freed = {SlotId("slot-0")};
  end<job::Heal>(freed);
  no_locks();
  EXPECT_TRUE(replies.contains(again));
  EXPECT_EQ(running<job::Quarantine>(), nullptr);
  EXPECT_EQ(slot("slot-0").phase, Phase::fresh);
}

TEST_F(Doctor, LeavesNoRecordOfAQuarantineInASlotThatWasHandedOutSince) {
  facts = {seen("slot-0"), seen("slot-1")};
  facts.front().directory = SlotFacts::Directory::no_gitfile;
  host.settings.background_limit = 1;
  host.settings.tip_every = seconds(1);
  open_pool();
  ASSERT_EQ(slot("slot-0").phase, Phase::quarantined);
  fail<job::Quarantine>(Fault::host_fault);
  pass(seconds(1));
  ASSERT_NE(running<job::LookAtTip>(), nullptr);
  pass(seconds(60));
  ASSERT_EQ(running<job::Quarantine>(), nullptr) << "it waits for its turn";
  ask(acquiring("y"));  // gets the other slot
  resolve();
  finish_acquire();

  ask_for_repair();
  done::Healed freed;
  freed.freed = {SlotId("slot-0")};
  end<job::Heal>(freed);
  ask(acquiring("x"));
  resolve();
  finish_acquire();
  ASSERT_EQ(slot("slot-0").phase, Phase::held);
  end<job::LookAtTip>(done::TipSeen{});
  EXPECT_EQ(running<job::Quarantine>(), nullptr);
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
}

TEST_F(Doctor, HasAcquiresWaitForASlotAsLongAsItLooks) {
  facts = {seen("slot-0"), seen("slot-1")};
  open_pool();
  ask_for_repair();
  ask(acquiring("x"));
  resolve();
  EXPECT_EQ(running<job::Acquire>(), nullptr);
  end<job::Heal>(done::Healed{});
  EXPECT_NE(running<job::Acquire>(), nullptr);
}

TEST_F(Doctor, FreesNoSlotThatSomebodyGotMeanwhile) {
  config.max_slots = 1;
  facts = {seen("slot-0")};
  open_pool();
  ask_for_repair();
  const RequestId id = ask(acquiring("x"));
  resolve();
  EXPECT_EQ(slot("slot-0").phase, Phase::idle);
  done::Healed freed;
  freed.freed = {SlotId("slot-0")};
  end<job::Heal>(freed);
  ASSERT_NE(running<job::Acquire>(), nullptr);
  EXPECT_TRUE(std::get<job::Acquire>(running<job::Acquire>()->spec).fresh);
  finish_acquire();
  EXPECT_TRUE(replies.contains(id));
}

TEST_F(Doctor, ThatFailsHasAcquiresGoOn) {
  config.max_slots = 1;
  facts = {seen("slot-0")};
  open_pool();
  ask_for_repair();
  ask(acquiring("x"));
  resolve();
  EXPECT_EQ(running<job::Acquire>(), nullptr);
  fail<job::Heal>(Fault::host_fault);
  EXPECT_NE(running<job::Acquire>(), nullptr);
}

TEST_F(Doctor, LeavesASlotThatIsToBeRepairedToItsRepair) {
  facts = {seen("slot-0")};
  facts.front().quarantine = "its directory is gone";
  open_pool();
  ask_for_repair();
  const RequestId repair = ask(proto::SlotRepairParams{{}, "slot-0", false});
  done::Healed freed;
  freed.freed = {SlotId("slot-0")};
  end<job::Heal>(freed);
  EXPECT_EQ(slot("slot-0").phase, Phase::repairing);
  end<job::Repair>(done::Fresh{});
  EXPECT_EQ(slot("slot-0").phase, Phase::fresh);
  EXPECT_TRUE(replies.contains(repair));
}

TEST_F(Doctor, AnswersWithAllThatWasDoneWhenAllOfItIs) {
  open_pool();
  const RequestId id = ask_for_repair();
  done::Healed healed;
  healed.did = {{"repair", "ok", "one", {}}};
  end<job::Heal>(healed);
  EXPECT_FALSE(replies.contains(id));
  healed.did = {{"repair", "ok", "two", {}}};
  end<job::HealLocks>(healed);
  ASSERT_TRUE(replies.contains(id));
  EXPECT_EQ(std::get<proto::DoctorResult>(replies[id]).checks.size(), 2u);
}

TEST_F(Doctor, SaysWhatCouldNotBeDone) {
  open_pool();
  const RequestId id = ask_for_repair();
  fail<job::Heal>(Fault::host_fault);
  no_locks();
  const auto& checks = std::get<proto::DoctorResult>(replies[id]).checks;
  ASSERT_EQ(checks.size(), 1u);
  EXPECT_EQ(checks[0].status, "warn");
  EXPECT_NE(checks[0].detail.find("it failed"), std::string::npos);
}

TEST_F(Doctor, FreesSlotsOfWhichNothingIsLeft) {
  facts = {seen("slot-0")};
  facts.front().quarantine = "its directory is gone";
  open_pool();
  EXPECT_EQ(slot("slot-0").phase, Phase::quarantined);
  ask_for_repair();
  done::Healed healed;
  healed.freed = {SlotId("slot-0")};
  end<job::Heal>(healed);
  EXPECT_EQ(slot("slot-0").phase, Phase::fresh);
}

TEST_F(Doctor, HasWhatItReadJudgedByTheTable) {
  facts = {seen("slot-0")};
  open_pool();
  ask_for_repair();
  done::Healed healed;
  healed.slots = {seen("slot-0")};
  healed.slots.front().directory = SlotFacts::Directory::no_gitfile;
  end<job::Heal>(healed);
  EXPECT_EQ(slot("slot-0").phase, Phase::quarantined);
  no_locks();
}

TEST_F(Doctor, OfAHostWithoutPoolsIsDoneAtOnce) {
  const RequestId id = ask_for_repair();
  EXPECT_TRUE(replies.contains(id));
}

TEST_F(Doctor, LeavesAPoolThatIsAwayAndSaysSo) {
  open_pool();
  happen(event::PoolsSeen{});
  const RequestId id = ask_for_repair();
  ASSERT_TRUE(replies.contains(id));
  EXPECT_EQ(std::get<proto::DoctorResult>(replies[id]).checks.size(), 1u);
}

}  // namespace
}  // namespace wtpool::core
