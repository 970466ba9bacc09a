// Slots that are made ahead: how many, and who goes first.
#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

class Warming : public Desk {
 protected:
  Warming() { config.max_slots = 3; }
  static proto::WarmParams warming(std::int64_t count, bool wait = true) {
    proto::WarmParams params;
    params.count = count;
    params.wait = wait;
    return params;
  }
  void make() {
    const auto* job = running<job::MakeSlot>();
    ASSERT_NE(job, nullptr);
    end<job::MakeSlot>(done::Idle{commit('a'), commit('7'), job->grant.slot.str(), {}, {}, false});
  }
  proto::WarmResult told(RequestId id) { return std::get<proto::WarmResult>(replies.at(id)); }
};

}  // namespace

TEST_F(Warming, MakesOneSlotAfterTheOtherAndAnswersWhenTheyAreIdle) {
  open_pool();
  const RequestId id = ask(warming(2));
  EXPECT_EQ(slot("slot-0").phase, Phase::making);
  EXPECT_EQ(slot("slot-1").phase, Phase::fresh);  // anybody's, until its job starts
  EXPECT_TRUE(running<job::MakeSlot>()->grant.source_writer);
  make();
  EXPECT_FALSE(replies.contains(id));
  make();
  EXPECT_EQ(told(id).idle, 2);
  EXPECT_EQ(running<job::MakeSlot>(), nullptr);
  EXPECT_EQ(slot("slot-2").phase, Phase::fresh);
}

TEST_F(Warming, CountsTheSlotsThatAreIdleAlready) {
  facts = {seen("slot-0"), seen("slot-1")};
  open_pool();
  EXPECT_EQ(told(ask(warming(2))).idle, 2);
  EXPECT_EQ(running<job::MakeSlot>(), nullptr);
}

TEST_F(Warming, SaysWhenMaxSlotsLeavesFewer) {
  open_pool();
  (void)hold("x");
  const RequestId id = ask(warming(5));
  EXPECT_TRUE(warned("leaves 2"));
  make();
  make();
  EXPECT_EQ(told(id).idle, 2);
  EXPECT_EQ(told(id).wanted, 2);
}

TEST_F(Warming, AnswersAtOnceUnlessItIsToWait) {
  open_pool();
  const RequestId id = ask(warming(1, false));
  EXPECT_EQ(told(id).idle, 0);
  EXPECT_EQ(told(id).wanted, 1);
  EXPECT_NE(running<job::MakeSlot>(), nullptr);
}

TEST_F(Warming, KeepsAsManyReadyAsTheConfigSays) {
  config.warm = 1;
  open_pool();
  make();
  (void)hold("x");  // gets the one that was ready
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  make();
  EXPECT_EQ(slot("slot-1").phase, Phase::idle);
  EXPECT_EQ(running<job::MakeSlot>(), nullptr);
}

TEST_F(Warming, GivesWayToAnAcquireThatFindsNoOtherSlot) {
  config.max_slots = 1;
  open_pool();
  (void)ask(warming(1, false));
  const RequestId id = ask(acquiring("x"));
  resolve();
  const JobId making = running<job::MakeSlot>()->grant.job;
  EXPECT_TRUE(std::any_of(effects.begin(), effects.end(), [&](const Effect& each) {
    const auto* stop = std::get_if<effect::StopJob>(&each);
    return stop != nullptr && stop->job == making;
  }));
  fail<job::MakeSlot>(Fault::cancelled, ErrorKind::cancelled);
  finish_acquire();
  EXPECT_TRUE(replies.contains(id));
}

TEST_F(Warming, LeavesTheOtherFreshSlotsToAcquires) {
  open_pool();
  (void)ask(warming(3, false));
  const RequestId id = ask(acquiring("x"));
  resolve();
  finish_acquire();
  EXPECT_EQ(std::get<proto::AcquireResult>(replies[id]).slot, "slot-1");
}

TEST_F(Warming, TellsWhoWaitsWhatFailedAndTriesAgainLater) {
  config.warm = 1;
  open_pool();
  const RequestId id = ask(warming(1));
  fail<job::MakeSlot>(Fault::host_fault, ErrorKind::no_space);
  EXPECT_EQ(refused(id), ErrorKind::no_space);
  EXPECT_EQ(slot("slot-0").phase, Phase::fresh);
  EXPECT_EQ(running<job::MakeSlot>(), nullptr);
  pass(seconds(61));
  EXPECT_NE(running<job::MakeSlot>(), nullptr);
}

TEST_F(Warming, RecoversFromOneThatWasNotTakenBack) {
  open_pool();
  (void)ask(warming(1, false));
  end_with<job::MakeSlot>(JobFailed{Fault::source_fault, Error(ErrorKind::git_failed, "it failed"), true});
  EXPECT_EQ(slot("slot-0").phase, Phase::recovering);
  EXPECT_NE(running<job::Recover>(), nullptr);
}

TEST_F(Warming, ARemovalWaitsForTheSlotThatIsBeingMade) {
  open_pool();
  (void)ask(warming(1, false));
  proto::SlotRemoveParams params;
  params.slot = "slot-0";
  (void)ask(params);
  EXPECT_EQ(running<job::RemoveSlot>(), nullptr);
  make();
  EXPECT_NE(running<job::RemoveSlot>(), nullptr);
}

TEST_F(Warming, EndsWithTheDaemon) {
  open_pool();
  const RequestId id = ask(warming(1));
  happen(event::Shutdown{});
  EXPECT_TRUE(refusals.contains(id));
  fail<job::MakeSlot>(Fault::cancelled, ErrorKind::cancelled);
  EXPECT_TRUE(drained);
}

TEST_F(Warming, WantsAGroupWhereThereAreSeveral) {
  config.groups = {"ios", "web"};
  open_pool();
  const RequestId none = ask(warming(1));
  EXPECT_EQ(refused(none), ErrorKind::invalid_params);
  EXPECT_NE(refusals[none].hint.find("wtpool warm 1 --group ios"), std::string::npos);
  auto params = warming(1);
  params.group = "web";
  (void)ask(params);
  EXPECT_EQ(slot("web-0").phase, Phase::making);
}

}  // namespace wtpool::core
