// What people see and what they are told, repair and remove, and the end of the daemon.
#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

class Reports : public Desk {};
class Repair : public Desk {
 protected:
  void open_quarantined() {
    SlotFacts found = seen("slot-0");
    found.quarantine = "look";
    facts = {found, seen("slot-1")};
    open_pool();
  }
};
class Refusals : public Desk {};

TEST_F(Reports, ListASlotNotMadeYetAsFreshAndOneHeldWithItsLease) {
  open_pool();
  hold("x");
  now.wall += 60;
  const RequestId id = ask(proto::SlotListParams{});
  const auto& slots = std::get<proto::SlotListResult>(replies[id]).slots;
  ASSERT_EQ(slots.size(), 2u);
  EXPECT_EQ(slots[0].state, proto::SlotState::held);
  EXPECT_EQ(slots[0].name, "x");
  EXPECT_EQ(slots[0].held_seconds, 60);
  ASSERT_TRUE(slots[0].lease.has_value());
  EXPECT_EQ(slots[1].state, proto::SlotState::fresh);
  EXPECT_EQ(slots[1].path, "/pools/app/slot-1");
  EXPECT_FALSE(slots[1].full_sha || slots[1].lease || slots[1].git || slots[1].name || slots[1].reason);
}

TEST_F(Reports, AddWhatGitSaysWhenAskedAndOnlyWarnWhenItCannot) {
  facts = {seen("slot-0")};
  open_pool();
  RequestId id = ask(proto::SlotListParams{{}, true});
  SweepFacts seen;
  seen.info = {1, 2, 3, {}, {}, {}};
  end<job::GitStatus>(done::StatusRead{{{SlotId("slot-0"), seen}}});
  EXPECT_EQ(std::get<proto::SlotListResult>(replies[id]).slots[0].git->untracked, 2);
  id = ask(proto::SlotListParams{{}, true});
  fail<job::GitStatus>(Fault::source_fault);
  EXPECT_TRUE(warned("git status"));
  EXPECT_FALSE(std::get<proto::SlotListResult>(replies[id]).slots[0].git.has_value());
}

TEST_F(Reports, CountSlotsByStateAndWaiters) {
  config.max_slots = 1;
  open_pool();
  hold("x");
  auto params = acquiring("y");
  params.wait_ms = 0;
  ask(params);
  resolve();
  const RequestId id = ask(proto::HostStatusParams{});
  const auto& status = std::get<proto::StatusResult>(replies[id]);
  EXPECT_EQ(status.queue, 1);
  EXPECT_EQ(status.root, "/pools");
  EXPECT_EQ(status.pools.at(0).slots.at("held"), 1);
  EXPECT_TRUE(std::get<proto::PoolListResult>(replies[ask(proto::PoolListParams{})]).pools.at(0).available);
}

TEST_F(Reports, FindASlotByNameIdAndDirectoryAndSayNothingOfWhatIsNotHeld) {
  open_pool();
  hold("x");
  proto::SlotPathParams path;
  for (const char* target : {"x", "slot-0"}) {
    path.target.target = target;
    EXPECT_EQ(std::get<proto::SlotPathResult>(replies[ask(path)]).path, "/pools/app/slot-0");
  }
  for (const char* target : {"y", "slot-1", "slot-9"}) {
    path.target.target = target;
    const RequestId id = ask(path);
    EXPECT_EQ(refused(id), ErrorKind::not_held);
    EXPECT_EQ(refusals[id].message, "");
  }
  proto::SlotInspectParams inspect;
  inspect.scope.cwd = "/pools/app/slot-0/deep";
  EXPECT_EQ(std::get<proto::SlotInfo>(replies[ask(inspect)]).name, "x");
  inspect.scope.cwd = "/pools/app";
  const RequestId nowhere = ask(inspect);
  EXPECT_EQ(refused(nowhere), ErrorKind::not_held);
  EXPECT_EQ(refusals[nowhere].hint, "wtpool ls --pool app");
}

TEST_F(Reports, HandTrashRequestsToTheirJobs) {
  open_pool();
  const RequestId list = ask(proto::TrashListParams{});
  end<job::ListTrash>(done::TrashListed{{proto::TrashEntry{}}});
  EXPECT_EQ(std::get<proto::TrashListResult>(replies[list]).entries.size(), 1u);
  proto::TrashRestoreParams restore;
  restore.id = "one";
  const RequestId restored = ask(restore);
  end<job::RestoreTrash>(done::TrashRestored{"back", {}});
  EXPECT_EQ(std::get<proto::TrashRestoreResult>(replies[restored]).branch, "back");
  proto::TrashDropParams drop;
  drop.id = "one";
  const RequestId dropped = ask(drop);
  fail<job::DropTrash>(Fault::source_fault, ErrorKind::trash_unknown);
  EXPECT_EQ(refused(dropped), ErrorKind::trash_unknown);
}

TEST_F(Repair, TakesASlotOutOfQuarantineOrLeavesItThere) {
  open_quarantined();
  proto::SlotRepairParams params;
  params.slot = "slot-0";
  const RequestId fails = ask(params);
  fail<job::Repair>(Fault::slot_fault);
  EXPECT_EQ(refused(fails), ErrorKind::io_error);
  EXPECT_EQ(slot("slot-0").phase, Phase::quarantined);
  const RequestId works = ask(params);
  EXPECT_EQ(refused(ask(params)), ErrorKind::contended);
  end<job::Repair>(done::Idle{commit('a'), commit('7'), "slot-0", {}, {}, false});
  EXPECT_TRUE(replies.contains(works));
  EXPECT_EQ(slot("slot-0").phase, Phase::idle);
  const RequestId sound = ask(params);
  end<job::ReadBack>(done::ReadSlots{{seen("slot-0")}});
  EXPECT_EQ(refused(sound), ErrorKind::not_held);
  const RequestId unread = ask(params);
  fail<job::ReadBack>(Fault::host_fault, ErrorKind::source_missing);
  EXPECT_EQ(refused(unread), ErrorKind::source_missing);
  EXPECT_EQ(slot("slot-0").phase, Phase::idle);
  params.slot = "slot-9";
  EXPECT_EQ(refused(ask(params)), ErrorKind::slot_unknown);
}

TEST_F(Repair, LooksFirstAtASlotThatIsNotKnownToNeedIt) {
  open_quarantined();
  proto::SlotRepairParams params;
  params.slot = "slot-1";
  const RequestId asked = ask(params);
  auto ghost = seen("slot-1");
  ghost.directory = SlotFacts::Directory::no_gitfile;
  end<job::ReadBack>(done::ReadSlots{{ghost}});
  EXPECT_EQ(slot("slot-1").phase, Phase::repairing);
  end<job::Quarantine>(done::Plain{});
  end<job::Repair>(done::Fresh{});
  EXPECT_TRUE(replies.contains(asked));
}

TEST_F(Repair, IsRefusedWhenItsPoolIsTakenAwayMeanwhile) {
  SlotFacts quarantined = seen("slot-0");
  quarantined.quarantine = "look";
  facts = {quarantined};
  open_pool();
  proto::SlotRepairParams params;
  params.slot = "slot-1";
  const RequestId asked = ask(params);
  const RequestId removal = ask(proto::PoolRemoveParams{"app"});
  end<job::RemoveSlot>(done::Fresh{});
  end<job::RemovePool>(done::PoolRemoved{});
  EXPECT_TRUE(replies.contains(removal));
  EXPECT_EQ(refused(asked), ErrorKind::pool_unknown);
  end<job::ReadBack>(done::ReadSlots{});
}

TEST_F(Repair, IsNamedToWhoReleasesAQuarantinedSlot) {
  open_quarantined();
  const RequestId id = ask(releasing("slot-0"));
  EXPECT_EQ(refused(id), ErrorKind::quarantined);
  EXPECT_EQ(refusals[id].hint, "wtpool repair slot-0 --pool app");
}

TEST_F(Repair, RemovingASlotWaitsForItsRecycleAndIsRefusedWhileItIsHeld) {
  open_pool();
  hold("x");
  proto::SlotRemoveParams params;
  params.slot = "slot-0";
  EXPECT_EQ(refused(ask(params)), ErrorKind::slot_held);
  ask(releasing("x"));
  end<job::Release>(done::Released{});
  const RequestId id = ask(params);
  EXPECT_EQ(running<job::RemoveSlot>(), nullptr);
  fail<job::Recycle>(Fault::quarantine);
  end<job::Quarantine>(done::Plain{});
  end<job::RemoveSlot>(done::Fresh{});
  EXPECT_TRUE(replies.contains(id));
  EXPECT_EQ(slot("slot-0").phase, Phase::fresh);
}

TEST_F(Refusals, ShowATableOfTheHoldersAndEndNobodysWork) {
  open_pool();
  hold("a-rather-long-name");
  hold("é");
  now.wall += 300;
  const RequestId id = ask(acquiring("z"));
  resolve();
  EXPECT_EQ(refused(id), ErrorKind::at_capacity);
  EXPECT_EQ(refusals[id].details,
            (std::vector<std::string>{"SLOT    NAME                AGE  KIND", "slot-0  a-rather-long-name  5m   durable",
                                      "slot-1  é                   5m   durable"}));
  EXPECT_EQ(refusals[id].hint, "wtpool acquire z --wait --pool app");
}

TEST_F(Refusals, NameAHolderAsAShellReadsIt) {
  open_pool();
  hold("it's");
  const RequestId held = ask(acquiring("it's"));
  EXPECT_EQ(refused(held), ErrorKind::name_held);
  EXPECT_TRUE(refusals[held].hint.starts_with("wtpool path 'it'\\''s' --pool app")) << refusals[held].hint;
}

TEST_F(Refusals, OfACommitThatIsNotThereNameTheBranchThatARemoteHas) {
  open_pool();
  auto params = acquiring("x");
  params.commit = "feature";
  const RequestId id = ask(params);
  end<job::Resolve>(done::Resolved{});
  end<job::Fetch>(done::Fetched{});
  done::Resolved resolved;
  resolved.tracking_name = "origin/feature";
  end<job::Resolve>(resolved);
  EXPECT_EQ(refused(id), ErrorKind::commit_unknown);
  EXPECT_EQ(refusals[id].hint, "wtpool acquire x --commit origin/feature --pool app");
}

TEST_F(Refusals, OfAPoolThatIsNotThereNameWhatListsTheOthers) {
  auto params = acquiring("x");
  params.scope.pool = "typo";
  const RequestId none = ask(params);
  EXPECT_EQ(refused(none), ErrorKind::pool_unknown);
  EXPECT_EQ(refusals[none].hint, "wtpool init --source REPO");
  open_pool();
  const RequestId typo = ask(params);
  EXPECT_EQ(refused(typo), ErrorKind::pool_unknown);
  EXPECT_EQ(refusals[typo].hint, "wtpool pools");
}

TEST_F(Refusals, OfAHeldCommitNameSlotHolderAndAge) {
  open_pool();
  hold("x", 'a');
  now.wall += 7200;
  auto params = acquiring("y");
  params.unique_sha = true;
  const RequestId id = ask(params);
  resolve('a');
  EXPECT_EQ(refused(id), ErrorKind::sha_held);
  EXPECT_EQ(refusals[id].slot, "slot-0");
  EXPECT_EQ(refusals[id].holder, "x");
  EXPECT_NE(refusals[id].message.find("slot-0 by 'x', for 2h"), std::string::npos);
  params.wait_ms = 0;
  const RequestId waits = ask(params);
  resolve('a');
  EXPECT_EQ(waiting_count(host), 1u);
  ask(releasing("x"));
  end<job::Release>(done::Released{});
  EXPECT_FALSE(refusals.contains(waits));
  EXPECT_NE(running<job::Acquire>(), nullptr);
}

TEST_F(Refusals, OfAHeldNameNeverWait) {
  open_pool();
  hold("x");
  auto params = acquiring("x");
  params.wait_ms = 0;
  EXPECT_EQ(refused(ask(params)), ErrorKind::name_held);
}

TEST_F(Refusals, ComeAfterTenSecondsToWhoOnlySitsOutARecycle) {
  config.max_slots = 1;
  open_pool();
  hold("x");
  ask(releasing("x"));
  end<job::Release>(done::Released{});
  const RequestId id = ask(acquiring("y"));
  resolve();
  pass(std::chrono::milliseconds(9999));
  EXPECT_FALSE(refusals.contains(id));
  pass(std::chrono::milliseconds(1));
  EXPECT_EQ(refused(id), ErrorKind::contended);
}

TEST_F(Refusals, AnswerWhoWaitsWhenTheDaemonDrains) {
  config.max_slots = 1;
  open_pool();
  hold("x");
  auto params = acquiring("y");
  params.wait_ms = 0;
  const RequestId queued = ask(params);
  resolve();
  const RequestId release = ask(releasing("x"));
  happen(event::Shutdown{});
  EXPECT_EQ(refused(queued), ErrorKind::shutting_down);
  EXPECT_FALSE(drained);
  end<job::Release>(done::Released{});
  EXPECT_TRUE(replies.contains(release));
  EXPECT_TRUE(drained);
}

}  // namespace
}  // namespace wtpool::core
