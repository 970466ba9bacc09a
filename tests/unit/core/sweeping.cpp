// Which leases are finished, who releases them, and what keeps them; sessions; NAMEs that are used again.
#include "daemon/core/rules/sweeping.hpp"

#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

constexpr seconds kDay{24 * 3600};

SweepFacts merged_facts() {
  SweepFacts facts;
  facts.moved = facts.compared = true;
  facts.info.ahead = 2;
  facts.info.behind = 3;
  facts.info.merged = proto::MergedInfo{proto::MergedWay::patch_id, "refs/heads/main"};
  facts.head = facts.tip = commit('b');
  return facts;
}

TEST(Classes, AreWhatTheContractSays) {
  const auto class_now = [](const SweepFacts& facts, seconds held = kDay, std::size_t sessions = 0) {
    return judge(facts, sessions, held, kDay).sweep_class;
  };
  const auto merged = merged_facts();
  EXPECT_EQ(class_now(merged), SweepClass::merged);
  EXPECT_EQ(class_now(merged, seconds(0)), SweepClass::merged);
  EXPECT_EQ(class_now(merged, kDay, 1), SweepClass::busy);

  auto other = merged;
  other.info.merged.reset();
  EXPECT_EQ(class_now(other), SweepClass::ahead);
  other = merged;
  other.compared = false;
  other.info.merged.reset();
  EXPECT_EQ(class_now(other), SweepClass::ahead) << "what cannot be told is not merged";
  other = merged;
  other.new_untracked = 1;
  EXPECT_EQ(class_now(other), SweepClass::dirty);
  other.info.operation = "rebase";
  EXPECT_EQ(class_now(other), SweepClass::busy);
  other.broken = "its directory is gone";
  EXPECT_EQ(class_now(other), SweepClass::broken);
  other = merged;
  other.process = "process 7 (vim) is in it";
  EXPECT_EQ(judge(other, 0, kDay, kDay).reason, "process 7 (vim) is in it");
}

TEST(Classes, NeverCallALeaseWithoutCommitsMerged) {
  auto facts = merged_facts();
  facts.moved = false;
  EXPECT_EQ(judge(facts, 0, kDay, kDay).sweep_class, SweepClass::empty);
  EXPECT_EQ(judge(facts, 0, kDay - seconds(1), kDay).sweep_class, SweepClass::young);
  EXPECT_EQ(judge(facts, 0, seconds(0), seconds(0)).sweep_class, SweepClass::empty);
  facts.info.merged.reset();
  EXPECT_EQ(judge(facts, 0, kDay, kDay).sweep_class, SweepClass::ahead) << "it stands at a commit that the target lacks";
}

class Sweep : public Desk {
 protected:
  RequestId sweep(std::vector<std::string> names = {}, bool dry_run = false) {
    proto::SweepParams params;
    params.names = std::move(names);
    params.dry_run = dry_run;
    return ask(params);
  }
  void seen(std::vector<std::pair<SlotId, SweepFacts>> slots) { end<job::GitStatus>(done::StatusRead{std::move(slots)}); }
  const std::vector<proto::SweepRow>& rows(RequestId id) { return std::get<proto::SweepResult>(replies.at(id)).rows; }
  RequestId attach(const std::string& name, SessionId session, bool keep = false) {
    proto::AttachParams params;
    params.target.target = name;
    params.keep = keep;
    return ask(params, session);
  }
};

TEST_F(Sweep, ReleasesWhatIsFinishedIfItStillStandsAtItsIds) {
  open_pool();
  hold("x");
  const RequestId id = sweep();
  seen({{SlotId("slot-0"), merged_facts()}});
  const auto* release = running<job::Release>();
  ASSERT_NE(release, nullptr);
  const auto& spec = std::get<job::Release>(release->spec);
  ASSERT_TRUE(spec.only_if);
  EXPECT_EQ(spec.only_if->head, commit('b'));
  EXPECT_EQ(spec.only_if->tip, commit('b'));
  EXPECT_FALSE(replies.contains(id)) << "it is told when the release is durable";
  done::Released released;
  released.kept = "20260505T033456Z-00000001";
  end<job::Release>(released);
  ASSERT_TRUE(replies.contains(id));
  ASSERT_EQ(rows(id).size(), 1u);
  EXPECT_TRUE(rows(id)[0].released);
  EXPECT_EQ(rows(id)[0].trash_id, "20260505T033456Z-00000001");
  EXPECT_EQ(rows(id)[0].name, "x");
  EXPECT_EQ(slot("slot-0").phase, Phase::recycling);
}

TEST_F(Sweep, KeepsWhatMovedMeanwhileAndSaysSo) {
  open_pool();
  hold("x");
  const RequestId id = sweep();
  seen({{SlotId("slot-0"), merged_facts()}});
  fail<job::Release>(Fault::source_fault, ErrorKind::dirty);
  ASSERT_TRUE(replies.contains(id));
  EXPECT_FALSE(rows(id)[0].released);
  EXPECT_EQ(rows(id)[0].reason, "it failed");
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  EXPECT_EQ(slot("slot-0").ending, Ending::none);
}

TEST_F(Sweep, AReleaseThatWasAskedForMeanwhileIsDoneAllTheSame) {
  open_pool();
  hold("x");
  sweep();
  seen({{SlotId("slot-0"), merged_facts()}});
  const RequestId release = ask(releasing("x"));
  fail<job::Release>(Fault::source_fault, ErrorKind::dirty);
  ASSERT_NE(running<job::Release>(), nullptr);
  EXPECT_FALSE(std::get<job::Release>(running<job::Release>()->spec).only_if);
  end<job::Release>(done::Released{});
  EXPECT_TRUE(replies.contains(release));
}

TEST_F(Sweep, TouchesNothingWhenItIsDry) {
  open_pool();
  hold("x");
  const RequestId id = sweep({}, true);
  seen({{SlotId("slot-0"), merged_facts()}});
  EXPECT_EQ(running<job::Release>(), nullptr);
  EXPECT_EQ(rows(id)[0].sweep_class, SweepClass::merged);
  EXPECT_FALSE(rows(id)[0].released);
}

TEST_F(Sweep, LooksAtDurableLeasesAloneAndSaysWhyOfOthersThatAreNamed) {
  open_pool();
  hold("x");
  auto params = acquiring("y");
  params.lease_kind = LeaseKind::connection;
  ask(params, SessionId(7));
  resolve();
  finish_acquire();
  const RequestId all = sweep();
  EXPECT_EQ(std::get<job::GitStatus>(running<job::GitStatus>()->spec).slots.size(), 1u);
  seen({});
  EXPECT_EQ(rows(all).size(), 1u);
  EXPECT_EQ(rows(all)[0].sweep_class, SweepClass::broken);
  const RequestId named = sweep({"y"});
  EXPECT_EQ(rows(named)[0].sweep_class, SweepClass::busy);
  EXPECT_EQ(refused(sweep({"z"})), ErrorKind::not_held);
}

TEST_F(Sweep, ALeaseThatIsYoungStays) {
  open_pool();
  hold("x");
  auto found = merged_facts();
  found.moved = false;
  now.wall += 3600;
  const RequestId id = sweep();
  seen({{SlotId("slot-0"), found}});
  EXPECT_EQ(rows(id)[0].sweep_class, SweepClass::young);
  now.wall += 24 * 3600;
  sweep();
  seen({{SlotId("slot-0"), found}});
  EXPECT_NE(running<job::Release>(), nullptr);
}

TEST_F(Sweep, TheEndOfTheLastSessionReleasesWhatIsFinished) {
  open_pool();
  hold("x");
  EXPECT_TRUE(replies.contains(attach("x", SessionId(7))));
  EXPECT_TRUE(replies.contains(attach("x", SessionId(8))));
  proto::SlotListParams list;
  const RequestId shown = ask(list);
  EXPECT_EQ(std::get<proto::SlotListResult>(replies.at(shown)).slots[0].sessions, 2);
  happen(event::SessionClosed{SessionId(7)});
  EXPECT_EQ(running<job::GitStatus>(), nullptr);
  happen(event::SessionClosed{SessionId(8)});
  ASSERT_NE(running<job::GitStatus>(), nullptr);
  auto found = merged_facts();
  found.moved = false;  // nothing was done in it: --min-age does not count
  seen({{SlotId("slot-0"), found}});
  EXPECT_NE(running<job::Release>(), nullptr);
}

TEST_F(Sweep, ALeaseThatIsNotFinishedStaysWhenItsSessionsHaveEnded) {
  open_pool();
  hold("x");
  attach("x", SessionId(7));
  happen(event::SessionClosed{SessionId(7)});
  auto found = merged_facts();
  found.info.merged.reset();
  seen({{SlotId("slot-0"), found}});
  EXPECT_EQ(running<job::Release>(), nullptr);
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  EXPECT_FALSE(slot("slot-0").look_at);
}

TEST_F(Sweep, ALeaseWithAProcessIsLookedAtAgain) {
  open_pool();
  hold("x");
  attach("x", SessionId(7));
  happen(event::SessionClosed{SessionId(7)});
  auto found = merged_facts();
  found.process = "process 7 (make) is in it";
  seen({{SlotId("slot-0"), found}});
  EXPECT_EQ(running<job::Release>(), nullptr);
  pass(seconds(9));
  EXPECT_EQ(running<job::GitStatus>(), nullptr);
  pass(seconds(1));
  ASSERT_NE(running<job::GitStatus>(), nullptr);
  seen({{SlotId("slot-0"), merged_facts()}});
  EXPECT_NE(running<job::Release>(), nullptr);
}

TEST_F(Sweep, ASessionThatKeepsItsLeaseReleasesNothing) {
  open_pool();
  hold("x");
  attach("x", SessionId(7), true);
  happen(event::SessionClosed{SessionId(7)});
  EXPECT_EQ(running<job::GitStatus>(), nullptr);
}

TEST_F(Sweep, SomebodyWhoCameBackWhileItWasLookedAtKeepsIt) {
  open_pool();
  hold("x");
  attach("x", SessionId(7));
  happen(event::SessionClosed{SessionId(7)});
  attach("x", SessionId(9));
  seen({{SlotId("slot-0"), merged_facts()}});
  EXPECT_EQ(running<job::Release>(), nullptr);
}

TEST_F(Sweep, OnlyDurableLeasesHaveSessions) {
  open_pool();
  auto params = acquiring("y");
  params.lease_kind = LeaseKind::connection;
  ask(params);
  resolve();
  finish_acquire();
  EXPECT_EQ(refused(attach("y", SessionId(7))), ErrorKind::invalid_params);
  EXPECT_EQ(refused(attach("z", SessionId(7))), ErrorKind::not_held);
}

class Reuse : public Desk {
 protected:
  static proto::AcquireParams again(const std::string& name) {
    auto params = acquiring(name);
    params.reuse = true;
    return params;
  }
};

TEST_F(Reuse, GivesAHeldNameItsLeaseAgain) {
  open_pool();
  const RequestId first = hold("x");
  const RequestId id = ask(again("x"));
  ASSERT_TRUE(replies.contains(id));
  EXPECT_EQ(std::get<proto::AcquireResult>(replies.at(id)).lease_id,
            std::get<proto::AcquireResult>(replies.at(first)).lease_id);
  EXPECT_TRUE(receipts.at(id));
}

TEST_F(Reuse, TakesTheKeyOfWhoHasItNow) {
  open_pool();
  hold("x");
  auto params = again("x");
  params.key = "claude:1:x";
  ask(params);
  const auto* rewrite = running<job::RewriteMarker>();
  ASSERT_NE(rewrite, nullptr);
  EXPECT_EQ(std::get<job::RewriteMarker>(rewrite->spec).marker.lease.key, "claude:1:x");
}

TEST_F(Reuse, IsNoWayToALeaseOfAnotherKindOrAnotherCommit) {
  open_pool();
  hold("x", 'a');
  auto params = again("x");
  params.lease_kind = LeaseKind::connection;
  EXPECT_EQ(refused(ask(params)), ErrorKind::name_held);
  params = again("x");
  params.commit = "v2";
  const RequestId other = ask(params);
  resolve('b');
  EXPECT_EQ(refused(other), ErrorKind::name_held);
  const RequestId same = ask(params);
  resolve('a');
  EXPECT_TRUE(replies.contains(same));
}

TEST_F(Reuse, GoesOnWithABranchThatExists) {
  open_pool();
  const RequestId id = ask(again("x"));
  done::Resolved resolved;
  resolved.commit = commit('a');
  resolved.tree = commit('7');
  resolved.branch_tip = commit('c');
  end<job::Resolve>(resolved);
  const auto* job = running<job::Acquire>();
  ASSERT_NE(job, nullptr);
  EXPECT_EQ(std::get<job::Acquire>(job->spec).mode, job::BranchMode::resume);
  EXPECT_EQ(std::get<job::Acquire>(job->spec).lease.full_sha, commit('c'));
  finish_acquire();
  EXPECT_TRUE(replies.contains(id));
}

TEST_F(Reuse, RefusesABranchThatIsCheckedOutElsewhere) {
  open_pool();
  const RequestId id = ask(again("x"));
  done::Resolved resolved;
  resolved.commit = commit('a');
  resolved.tree = commit('7');
  resolved.branch_tip = commit('c');
  resolved.checked_out_at = "/src";
  end<job::Resolve>(resolved);
  EXPECT_EQ(refused(id), ErrorKind::branch_exists);
}

class Locate : public Desk {
 protected:
  proto::LocateResult at(const std::string& directory) {
    proto::LocateParams params;
    params.scope.cwd = directory;
    return std::get<proto::LocateResult>(replies.at(ask(params)));
  }
};

TEST_F(Locate, TellsASlotFromASourceAndFromNeither) {
  open_pool();
  hold("x");
  EXPECT_EQ(at("/pools/app/slot-0/src").where, "slot");
  EXPECT_EQ(at("/pools/app/slot-0/src").path, "/pools/app/slot-0");
  EXPECT_EQ(at("/pools/app/slot-0").name, "x");
  EXPECT_EQ(at("/pools/app/slot-0").base, commit('a').str());
  EXPECT_EQ(at("/src/lib").where, "source");
  EXPECT_EQ(at("/src/lib").path, "/src");
  EXPECT_EQ(at("/tmp").where, "none");
  EXPECT_EQ(at("/tmp").path, "");
}

}  // namespace
}  // namespace wtpool::core
