// The store at the desk: one fill however many ask, who waits, and what an acquire does for its deps.
#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

class StoreDesk : public Desk {
 protected:
  static proto::StorePlaceParams placing(std::optional<std::string> archive = {}, bool command = false) {
    proto::StorePlaceParams params;
    params.key = "k-1";
    params.into = "/tmp/somewhere";
    params.archive = std::move(archive);
    params.command = command;
    return params;
  }
  // The started job of that kind for a request, or of any.
  template <class J>
  std::vector<JobId> running() const {
    std::vector<JobId> found;
    for (const auto& [id, start] : jobs) {
      if (std::holds_alternative<J>(start.spec) && host.jobs.contains(id)) found.push_back(id);
    }
    return found;
  }
  void finish(JobId job, JobOutcome outcome) { happen(event::JobFinished{job, std::move(outcome)}); }
  template <class J>
  void finish_all(const JobOutcome& outcome) {
    for (const JobId id : running<J>()) finish(id, outcome);
  }
  static JobOutcome placed() { return JobDone{done::StoreDone{proto::StorePlaceResult{}, {}, {}}}; }
  static JobOutcome absent() { return JobDone{done::StoreAbsent{}}; }
  static JobOutcome filled() { return JobDone{done::StoreFilled{true}}; }
  static JobOutcome failed() { return JobFailed{Fault::source_fault, {ErrorKind::store_refused, "torn"}}; }
};

TEST_F(StoreDesk, OneFillsAndTheOthersWait) {
  const auto first = ask(placing("/a.tar"));
  const auto second = ask(placing("/b.tar"));
  finish_all<job::StoreTask>(absent());
  ASSERT_EQ(running<job::StoreFill>().size(), 1u);
  const auto third = ask(placing("/c.tar"));
  EXPECT_TRUE(running<job::StoreTask>().empty()) << "who comes while it is made waits as well";
  finish_all<job::StoreFill>(filled());
  EXPECT_EQ(running<job::StoreTask>().size(), 3u);
  finish_all<job::StoreTask>(placed());
  for (const RequestId id : {first, second, third}) EXPECT_TRUE(replies.contains(id));
}

TEST_F(StoreDesk, WhenAFillFailsTheNextOneTriesWhatItHas) {
  const auto first = ask(placing("/a.tar"));
  const auto second = ask(placing("/b.tar"));
  finish_all<job::StoreTask>(absent());
  finish_all<job::StoreFill>(failed());
  EXPECT_TRUE(refusals.contains(first));
  EXPECT_FALSE(refusals.contains(second));
  finish_all<job::StoreTask>(absent());
  ASSERT_EQ(running<job::StoreFill>().size(), 1u);
  EXPECT_EQ(std::get<job::StoreFill>(jobs.at(running<job::StoreFill>().front()).spec).from, "/b.tar");
}

TEST_F(StoreDesk, ACommandIsRunByOneClientAndByTheNextWhenThatDies) {
  const auto first = ask(placing({}, true), SessionId{7});
  const auto second = ask(placing({}, true), SessionId{8});
  finish_all<job::StoreTask>(absent());
  ASSERT_TRUE(replies.contains(first));
  EXPECT_TRUE(std::get<proto::StorePlaceResult>(replies[first]).ticket.has_value());
  EXPECT_FALSE(replies.contains(second)) << "it waits";
  happen(event::SessionClosed{SessionId{7}});
  finish_all<job::StoreTask>(absent());
  ASSERT_TRUE(replies.contains(second)) << "its command is run now";
  const auto ticket = std::get<proto::StorePlaceResult>(replies[second]).ticket;
  auto back = placing("/store/tmp/printed", true);
  back.ticket = ticket;
  const auto third = ask(back, SessionId{8});
  ASSERT_EQ(running<job::StoreFill>().size(), 1u);
  EXPECT_TRUE(std::get<job::StoreFill>(jobs.at(running<job::StoreFill>().front()).spec).temporary);
  finish_all<job::StoreFill>(filled());
  finish_all<job::StoreTask>(placed());
  EXPECT_TRUE(replies.contains(third));
}

TEST_F(StoreDesk, WithoutAnythingToMakeItOfItIsNotInTheStore) {
  const auto plain = ask(placing());
  auto frozen = placing("/a.tar", true);
  frozen.frozen_only = true;
  const auto strict = ask(frozen);
  finish_all<job::StoreTask>(absent());
  for (const RequestId id : {plain, strict}) {
    ASSERT_TRUE(refusals.contains(id));
    EXPECT_EQ(refusals[id].kind, ErrorKind::not_in_store);
  }
}

TEST_F(StoreDesk, WhoDoesNotWantItAnyMoreLeavesTheOthersTheirFill) {
  const auto first = ask(placing("/a.tar"), SessionId{7});
  const auto second = ask(placing("/b.tar"), SessionId{8});
  finish_all<job::StoreTask>(absent());
  happen(event::Cancel{first});
  EXPECT_TRUE(refusals.contains(first));
  ASSERT_EQ(running<job::StoreFill>().size(), 1u);
  finish_all<job::StoreFill>(filled());
  finish_all<job::StoreTask>(placed());
  EXPECT_TRUE(replies.contains(second));
}

TEST_F(StoreDesk, ASlotThatNobodyHoldsGetsNothing) {
  facts = {seen("slot-0")};
  open_pool();
  auto params = placing("/a.tar");
  params.into = "/pools/app/slot-0/x";
  const auto id = ask(params);
  ASSERT_TRUE(refusals.contains(id));
  EXPECT_EQ(refusals[id].kind, ErrorKind::not_held);
}

TEST_F(StoreDesk, AnAcquireWaitsForItsDepsAndNamesThoseThatCannotBeHad) {
  open_pool();
  const auto id = ask(acquiring("x"));
  done::Resolved found;
  found.commit = commit('a');
  found.tree = commit('b');
  Dep dep;
  dep.name = "lib";
  dep.key = "lib-1";
  dep.archive = "/cache/lib-1.tar";
  Dep other = dep;
  other.name = "other";
  other.key = "other-1";
  other.archive.clear();
  found.deps = {{dep, false}, {other, false}};
  finish_all<job::Resolve>(JobDone{found});
  ASSERT_EQ(running<job::StoreFill>().size(), 1u);
  EXPECT_TRUE(running<job::Acquire>().empty());
  finish_all<job::StoreFill>(failed());
  ASSERT_EQ(running<job::Resolve>().size(), 1u);
  finish_all<job::Resolve>(JobDone{found});
  ASSERT_EQ(running<job::Acquire>().size(), 1u) << "one that could not be made is not tried again";
  const auto plan = std::get<job::Acquire>(jobs.at(running<job::Acquire>().front()).spec);
  EXPECT_EQ(plan.deps.size(), 2u);
  EXPECT_FALSE(refusals.contains(id));
}

TEST_F(StoreDesk, ARequiredDepThatIsMissingRefusesBeforeASlotIsTouched) {
  open_pool();
  const auto id = ask(acquiring("x"));
  done::Resolved found;
  found.commit = commit('a');
  Dep dep;
  dep.name = "lib";
  dep.key = "lib-1";
  dep.required = true;
  found.deps = {{dep, false}};
  finish_all<job::Resolve>(JobDone{found});
  ASSERT_TRUE(refusals.contains(id));
  EXPECT_EQ(refusals[id].kind, ErrorKind::not_in_store);
  EXPECT_TRUE(running<job::Acquire>().empty());
}

}  // namespace
}  // namespace wtpool::core
