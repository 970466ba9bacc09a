// How leases end by their own rule, who may keep them, and what goes before their release.
#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

class Ends : public Desk {
 protected:
  const Owner owner_{42, 7, "boot"};
  const SessionId other_{2};

  RequestId hold_with(proto::AcquireParams params, SessionId session = kSession, std::optional<Owner> owner = {}) {
    const RequestId id = ask(std::move(params), session, owner);
    resolve();
    finish_acquire();
    return id;
  }
  static proto::AcquireParams connection(const std::string& name) {
    auto params = acquiring(name);
    params.lease_kind = LeaseKind::connection;
    return params;
  }
  proto::ConfirmParams confirming(const std::string& id) { return {slot(id).lease->id.str(), {}}; }
};

class ProcessLease : public Ends {};
class ConnectionLease : public Ends {};
class UnconfirmedLease : public Ends {};
class TimeToLive : public Ends {};

TEST_F(ProcessLease, IsRefusedForAProcessThatIsNotThere) {
  open_pool();
  auto params = acquiring("x");
  params.owner_pid = 42;
  EXPECT_EQ(refused(ask(params)), ErrorKind::invalid_params);
}

TEST_F(ProcessLease, EndsWithItsProcessAndSaves) {
  open_pool();
  auto params = acquiring("x");
  params.owner_pid = 42;
  hold_with(params, kSession, owner_);
  EXPECT_EQ(slot("slot-0").lease->kind, LeaseKind::process);
  happen(event::SessionClosed{kSession});
  pass(std::chrono::milliseconds(100));
  end<job::ReadBack>(done::ReadSlots{});
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  happen(event::OwnerGone{slot("slot-0").lease->id});
  // What the process started may go on, and would write into a slot that is somebody else's by then.
  EXPECT_EQ(running<job::Release>(), nullptr);
  end<job::EndProcesses>(done::Plain{});
  ASSERT_NE(running<job::Release>(), nullptr);
  EXPECT_EQ(std::get<job::Release>(running<job::Release>()->spec).dirty, Dirty::save);
}

TEST_F(ProcessLease, ThatIsReleasedEndsNobodyWhoMayHaveAskedForIt) {
  open_pool();
  auto params = acquiring("x");
  params.owner_pid = 42;
  hold_with(params, kSession, owner_);
  ask(releasing("x"));
  EXPECT_EQ(running<job::EndProcesses>(), nullptr);
  EXPECT_NE(running<job::Release>(), nullptr);
}

TEST_F(ProcessLease, WhoseProcessEndsDuringARefusedReleaseEndsAllTheSame) {
  open_pool();
  auto params = acquiring("x");
  params.owner_pid = 42;
  hold_with(params, kSession, owner_);
  auto release = releasing("x");
  release.dirty = Dirty::refuse;
  ask(release);
  happen(event::OwnerGone{slot("slot-0").lease->id});
  fail<job::Release>(Fault::source_fault, ErrorKind::dirty);
  pass(seconds(5));
  end<job::EndProcesses>(done::Plain{});
  ASSERT_NE(running<job::Release>(), nullptr);
  EXPECT_EQ(std::get<job::Release>(running<job::Release>()->spec).dirty, Dirty::save);
}

TEST_F(ProcessLease, IsWatchedAgainAfterARestart) {
  Marker marker = marker_of("x", LeaseKind::process);
  marker.lease.owner = owner_;
  facts = {seen("slot-0", marker)};
  open_pool();
  bool watched = false;
  for (const Effect& each : effects) {
    const auto* watch = std::get_if<effect::WatchOwner>(&each);
    watched |= watch != nullptr && watch->owner == owner_ && watch->lease == marker.lease.id;
  }
  EXPECT_TRUE(watched);
}

TEST_F(ConnectionLease, EndsWithItsConnectionItsProcessesFirst) {
  open_pool();
  hold_with(connection("x"));
  proto::ConfirmParams confirm = confirming("slot-0");
  confirm.process_group = 42;
  ask(confirm, kSession, owner_);
  happen(event::SessionClosed{kSession});
  EXPECT_EQ(running<job::Release>(), nullptr);
  ASSERT_NE(running<job::EndProcesses>(), nullptr);
  EXPECT_EQ(std::get<job::EndProcesses>(running<job::EndProcesses>()->spec).group, owner_);
  end<job::EndProcesses>(done::Plain{});
  EXPECT_NE(running<job::Release>(), nullptr);
}

TEST_F(ConnectionLease, EndsWhileRemotesHang) {
  host.settings.network_limit = 1;
  open_pool();
  hold_with(connection("x"));
  ask(acquiring("y"), other_);
  end<job::Resolve>(done::Resolved{});
  ASSERT_NE(running<job::Fetch>(), nullptr);
  happen(event::SessionClosed{kSession});
  EXPECT_NE(running<job::EndProcesses>(), nullptr);
}

TEST_F(ConnectionLease, IsReleasedAfterItsProcessesWhenAskedTo) {
  open_pool();
  hold_with(connection("x"));
  const RequestId id = ask(releasing("x"));
  EXPECT_EQ(running<job::Release>(), nullptr);
  end<job::EndProcesses>(done::Plain{});
  end<job::Release>(done::Released{});
  EXPECT_TRUE(replies.contains(id));
}

TEST_F(ConnectionLease, WhoseProcessesCannotBeEndedQuarantinesItsSlot) {
  open_pool();
  hold_with(connection("x"));
  const RequestId id = ask(releasing("x"));
  fail<job::EndProcesses>(Fault::quarantine, ErrorKind::quarantined);
  EXPECT_EQ(refused(id), ErrorKind::quarantined);
  EXPECT_EQ(slot("slot-0").phase, Phase::quarantined);
  EXPECT_EQ(running<job::Release>(), nullptr);
}

TEST_F(ConnectionLease, LooksForProcessesAgainWhenTheReleaseHasFailed) {
  open_pool();
  hold_with(connection("x"));
  ask(releasing("x"));
  end<job::EndProcesses>(done::Plain{});
  fail<job::Release>(Fault::host_fault);
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  ask(releasing("x"));
  EXPECT_NE(running<job::EndProcesses>(), nullptr);
}

TEST_F(ConnectionLease, FoundAtLoadWaitsForItsClientAndThenEnds) {
  facts = {seen("slot-0", marker_of("x", LeaseKind::connection)), seen("slot-1", marker_of("y", LeaseKind::connection))};
  open_pool();
  pass(seconds(29));
  const RequestId back = ask(proto::ResumeParams{"lease-y", {}}, other_);
  EXPECT_TRUE(replies.contains(back));
  pass(seconds(1));
  EXPECT_EQ(slot("slot-0").phase, Phase::releasing);
  pass(seconds(3600));
  EXPECT_EQ(slot("slot-1").phase, Phase::held);
  happen(event::SessionClosed{other_});
  EXPECT_EQ(slot("slot-1").phase, Phase::releasing);
  EXPECT_EQ(refused(ask(proto::ResumeParams{"lease-x", {}})), ErrorKind::lease_lost);
}

TEST_F(ConnectionLease, IsNotKeptByARenewalOnceNobodyComesBackForIt) {
  facts = {seen("slot-0", marker_of("x", LeaseKind::connection)), seen("slot-1", marker_of("y", LeaseKind::connection))};
  open_pool();
  proto::RenewParams renew;
  renew.target.name = "x";
  const RequestId plain = ask(renew);
  EXPECT_EQ(std::get<proto::RenewResult>(replies[plain]).expires_at, now.wall + 30);
  renew.target.name = "y";
  renew.ttl_seconds = 3600;
  ask(renew);
  end<job::RewriteMarker>(done::Plain{});
  pass(seconds(30));
  EXPECT_EQ(slot("slot-0").phase, Phase::releasing);
  EXPECT_EQ(slot("slot-1").phase, Phase::releasing);
}

TEST_F(ConnectionLease, KeepsItsTimeToLiveWhenResumed) {
  Marker marker = marker_of("x", LeaseKind::connection);
  marker.lease.ttl = seconds(100);
  facts = {seen("slot-0", marker)};
  open_pool();
  ask(proto::ResumeParams{"lease-x", {}});
  pass(seconds(99));
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  pass(seconds(1));
  EXPECT_EQ(slot("slot-0").phase, Phase::releasing);
}

TEST_F(ConnectionLease, GivenBackForItsKeyLivesUntilTheLastOfItsConnectionsEnds) {
  open_pool();
  auto params = connection("x");
  params.key = "k";
  hold_with(params);
  ask(params, other_);
  happen(event::SessionClosed{other_});
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  happen(event::SessionClosed{kSession});
  EXPECT_EQ(slot("slot-0").phase, Phase::releasing);
}

TEST_F(ConnectionLease, GivenBackForItsKeyIsOnlyLeftByTheFirstThatReleasesIt) {
  open_pool();
  auto params = connection("x");
  params.key = "k";
  hold_with(params);
  ask(params, other_);
  proto::ReleaseParams release;
  release.target.lease_id = slot("slot-0").lease->id.str();
  const RequestId first = ask(release);
  EXPECT_FALSE(std::get<proto::ReleaseResult>(replies[first]).already);
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  happen(event::SessionClosed{kSession});
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  ask(release, other_);
  EXPECT_EQ(slot("slot-0").phase, Phase::releasing);
}

TEST_F(ConnectionLease, ResumedByTwoLivesUntilTheLastOfThemEnds) {
  facts = {seen("slot-0", marker_of("x", LeaseKind::connection))};
  open_pool();
  ask(proto::ResumeParams{"lease-x", {}});
  ask(proto::ResumeParams{"lease-x", {}}, other_);
  happen(event::SessionClosed{other_});
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  happen(event::SessionClosed{kSession});
  EXPECT_EQ(slot("slot-0").phase, Phase::releasing);
}

TEST_F(UnconfirmedLease, StaysOnceItIsConfirmed) {
  open_pool();
  auto params = acquiring("x");
  params.confirm = true;
  hold_with(params);
  ask(confirming("slot-0"));
  happen(event::SessionClosed{kSession});
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
}

TEST_F(UnconfirmedLease, IsNotMadeOfAConfirmedOneByARepeatOfItsKey) {
  open_pool();
  auto params = acquiring("x");
  params.key = "k";
  params.confirm = true;
  hold_with(params);
  ask(confirming("slot-0"));
  const RequestId repeat = ask(params, other_);
  EXPECT_TRUE(replies.contains(repeat));
  happen(event::SessionClosed{other_});
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  EXPECT_EQ(slot("slot-0").ending, Ending::none);
}

TEST_F(UnconfirmedLease, StaysWhileOneOfThoseItWasGivenToMayStillConfirm) {
  open_pool();
  auto params = acquiring("x");
  params.key = "k";
  params.confirm = true;
  hold_with(params);
  ask(params, other_);
  happen(event::SessionClosed{kSession});
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  ask(confirming("slot-0"), other_);
  happen(event::SessionClosed{other_});
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
}

TEST_F(UnconfirmedLease, CannotBeConfirmedOnceItIsOver) {
  open_pool();
  auto params = acquiring("x");
  params.confirm = true;
  hold_with(params);
  const auto confirm = confirming("slot-0");
  happen(event::SessionClosed{kSession});
  EXPECT_EQ(refused(ask(confirm, other_)), ErrorKind::lease_lost);
}

TEST_F(ConnectionLease, IsResumedWhileAnotherPoolIsStillBeingLoaded) {
  facts = {seen("slot-0", marker_of("x", LeaseKind::connection))};
  open_pool();
  happen(event::PoolsSeen{{{PoolKey("app"), "f", 1}, {PoolKey("slow"), "f", 1}}});
  EXPECT_TRUE(replies.contains(ask(proto::ResumeParams{"lease-x", {}})));
  const RequestId unknown = ask(proto::ResumeParams{"lease-y", {}});
  EXPECT_FALSE(refusals.contains(unknown));
  end<job::LoadPool>(loaded());
  EXPECT_EQ(refused(unknown), ErrorKind::lease_lost);
}

TEST_F(ConnectionLease, OfAPoolThatCannotBeReadIsNotLost) {
  facts = {seen("slot-0", marker_of("x", LeaseKind::connection))};
  happen(event::PoolsSeen{{{PoolKey("app"), "f", 1}}});
  fail<job::LoadPool>(Fault::source_fault, ErrorKind::bad_config);
  const RequestId too_early = ask(proto::ResumeParams{"lease-x", {}});
  fail<job::LoadPool>(Fault::source_fault, ErrorKind::bad_config);
  EXPECT_EQ(refused(too_early), ErrorKind::pool_unavailable);
  const RequestId back = ask(proto::ResumeParams{"lease-x", {}});
  end<job::LoadPool>(loaded());
  EXPECT_TRUE(replies.contains(back));
  pass(seconds(60));
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
}

TEST_F(ConnectionLease, IsKeptWhenTheDaemonEndsAndTakesItsConnectionsAlong) {
  open_pool();
  hold_with(connection("x"));
  ask(confirming("slot-0"));
  happen(event::Shutdown{});
  ASSERT_TRUE(drained);
  happen(event::SessionClosed{kSession});
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  EXPECT_EQ(running<job::EndProcesses>(), nullptr);
}

TEST_F(ConnectionLease, WhoseClientGoesWhileTheDaemonDrainsIsLeftToTheNextOne) {
  open_pool();
  hold_with(connection("x"));
  ask(confirming("slot-0"));
  hold_with(acquiring("y"), other_);
  ask(releasing("y"), other_);
  happen(event::Shutdown{});
  ASSERT_FALSE(drained);
  happen(event::SessionClosed{kSession});
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  EXPECT_EQ(running<job::EndProcesses>(), nullptr);
  end<job::Release>(done::Released{});
  EXPECT_TRUE(drained);
}

TEST_F(ProcessLease, WhoseProcessEndsAsTheDaemonDoesIsLeftToTheNextOne) {
  open_pool();
  auto params = acquiring("x");
  params.owner_pid = 42;
  hold_with(params, kSession, owner_);
  happen(event::Shutdown{});
  ASSERT_TRUE(drained);
  happen(event::OwnerGone{slot("slot-0").lease->id});
  EXPECT_EQ(running<job::Release>(), nullptr);
}

TEST_F(UnconfirmedLease, CanBeConfirmedWhileTheDaemonDrainsWhichWaitsForIt) {
  open_pool();
  auto params = acquiring("x");
  params.confirm = true;
  hold_with(params);
  happen(event::Shutdown{});
  EXPECT_FALSE(drained);
  EXPECT_EQ(refused(ask(releasing("x"))), ErrorKind::shutting_down);
  EXPECT_TRUE(replies.contains(ask(confirming("slot-0"))));
  EXPECT_TRUE(drained);
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  EXPECT_EQ(refused(ask(confirming("slot-0"))), ErrorKind::shutting_down);
}

TEST_F(UnconfirmedLease, IsRolledBackBeforeADaemonThatDrainsEnds) {
  open_pool();
  auto params = acquiring("x");
  params.confirm = true;
  hold_with(params);
  happen(event::Shutdown{});
  happen(event::SessionClosed{kSession});
  EXPECT_FALSE(drained);
  end<job::Release>(done::Released{});
  EXPECT_TRUE(drained);
}

TEST_F(TimeToLive, ComesFromThePoolElseTheHostAndOnlyForDurableLeases) {
  host.settings.default_ttl = seconds(50);
  open_pool();
  hold("x");
  EXPECT_EQ(slot("slot-0").lease->ttl, seconds(50));
  hold_with(connection("y"));
  EXPECT_FALSE(slot("slot-1").lease->ttl.has_value());
}

TEST_F(TimeToLive, OfThePoolGoesBeforeTheHosts) {
  host.settings.default_ttl = seconds(50);
  config.ttl = seconds(70);
  open_pool();
  hold("x");
  EXPECT_EQ(slot("slot-0").lease->ttl, seconds(70));
}

TEST_F(TimeToLive, StartsAgainWhenRenewedAndIsWrittenWhenItIsAnother) {
  config.ttl = seconds(10);
  open_pool();
  hold("x");
  pass(seconds(9));
  proto::RenewParams renew;
  renew.target.name = "x";
  EXPECT_TRUE(replies.contains(ask(renew)));
  pass(seconds(9));
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  renew.ttl_seconds = 100;
  const RequestId longer = ask(renew);
  EXPECT_FALSE(replies.contains(longer));
  end<job::RewriteMarker>(done::Plain{});
  EXPECT_EQ(std::get<proto::RenewResult>(replies[longer]).expires_at, now.wall + 100);
  pass(seconds(99));
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  renew.target.name = "nobody";
  EXPECT_EQ(refused(ask(renew)), ErrorKind::not_held);
}

TEST_F(Ends, ARemoteBranchIsDeletedOnlyWhenAskedTo) {
  open_pool();
  hold("x");
  hold("y");
  ask(releasing("x"));
  end<job::Release>(done::Released{});
  EXPECT_EQ(running<job::DeleteRemote>(), nullptr);
  auto params = releasing("y");
  params.delete_remote = true;
  const RequestId id = ask(params);
  EXPECT_EQ(running<job::EndProcesses>(), nullptr);  // a durable lease leaves its processes alone
  end<job::Release>(done::Released{});
  ASSERT_NE(running<job::DeleteRemote>(), nullptr);
  EXPECT_EQ(std::get<job::DeleteRemote>(running<job::DeleteRemote>()->spec).name, "y");
  EXPECT_TRUE(replies.contains(id));
}

TEST_F(Ends, AReleaseThatWaitsSaysWhatWasKept) {
  open_pool();
  hold("x");
  auto params = releasing("x");
  params.wait = true;
  const RequestId id = ask(params);
  end<job::Release>(done::Released{});
  EXPECT_FALSE(replies.contains(id));
  end<job::Recycle>(done::Idle{commit('a'), commit('7'), "slot-0", "trash-1", {}, false});
  EXPECT_EQ(std::get<proto::ReleaseResult>(replies[id]).trash_id, "trash-1");
}

}  // namespace
}  // namespace wtpool::core
