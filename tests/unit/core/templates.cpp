// Which slot becomes a template, and who waits for whom meanwhile.
#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

class Freezing : public Desk {
 protected:
  void open_with_idle() {
    facts = {seen("slot-0"), seen("slot-1")};
    open_pool();
  }
  static proto::TemplateMakeParams making(std::optional<std::string> slot = {}) {
    proto::TemplateMakeParams params;
    params.slot = std::move(slot);
    return params;
  }
  static done::TemplateMade made() {
    done::TemplateMade done;
    done.made.id = "t";
    return done;
  }
};

}  // namespace

TEST_F(Freezing, TakesTheSlotOfALeaseThatItsHolderHasFinishedWith) {
  open_with_idle();
  const RequestId held = hold("x");
  const auto lease = std::get<proto::AcquireResult>(replies[held]).lease_id;
  proto::TemplateMakeParams params;
  params.lease_id = lease;
  params.caller_pids = {7};
  const RequestId id = ask(params);
  const auto* job = running<job::MakeTemplate>();
  ASSERT_NE(job, nullptr);
  const auto& spec = std::get<job::MakeTemplate>(job->spec);
  ASSERT_TRUE(spec.lease);
  EXPECT_EQ(spec.lease->id.str(), lease);
  EXPECT_EQ(spec.caller_pids, std::vector<std::int64_t>{7});
  // Nothing else touches the slot meanwhile: its release waits.
  (void)ask(releasing("x"));
  EXPECT_EQ(running<job::Release>(), nullptr);
  end<job::MakeTemplate>(made());
  EXPECT_EQ(std::get<proto::TemplateInfo>(replies[id]).id, "t");
  EXPECT_NE(running<job::Release>(), nullptr);
}

TEST_F(Freezing, RefusesALeaseThatIsOver) {
  open_with_idle();
  proto::TemplateMakeParams params;
  params.lease_id = "nobody's";
  EXPECT_EQ(refused(ask(params)), ErrorKind::lease_lost);
}

TEST_F(Freezing, TakesTheIdleSlotThatIsNamedAndNoOther) {
  open_with_idle();
  const RequestId held = hold("x");
  const auto taken = std::get<proto::AcquireResult>(replies[held]).slot;
  EXPECT_EQ(refused(ask(making(taken))), ErrorKind::contended);
  EXPECT_EQ(refused(ask(making("slot-9"))), ErrorKind::slot_unknown);
  const RequestId id = ask(making(taken == "slot-0" ? "slot-1" : "slot-0"));
  const auto* job = running<job::MakeTemplate>();
  ASSERT_NE(job, nullptr);
  EXPECT_FALSE(std::get<job::MakeTemplate>(job->spec).lease);
  fail<job::MakeTemplate>(Fault::source_fault, ErrorKind::dirty);
  EXPECT_EQ(refused(id), ErrorKind::dirty);
}

TEST_F(Freezing, TakesTheIdleSlotNearestToTheCommit) {
  open_with_idle();
  const RequestId id = ask(making());
  resolve('a');
  ASSERT_NE(running<job::MakeTemplate>(), nullptr);
  end<job::MakeTemplate>(made());
  EXPECT_TRUE(replies.contains(id));
  const RequestId unknown = ask(making());
  end<job::Resolve>(done::Resolved{});
  EXPECT_EQ(refused(unknown), ErrorKind::commit_unknown);
}

TEST_F(Freezing, RefusesWhereNoSlotIsIdle) {
  open_pool();
  const RequestId id = ask(making());
  resolve('a');
  EXPECT_EQ(refused(id), ErrorKind::contended);
  EXPECT_EQ(running<job::MakeTemplate>(), nullptr);
}

TEST_F(Freezing, GivesUpASlotThatWasTakenBeforeItBegan) {
  open_with_idle();
  // The slot is being read; meanwhile it is asked for twice.
  begin_reading();
  const RequestId freeze = ask(making("slot-0"));
  EXPECT_EQ(running<job::MakeTemplate>(), nullptr);
  proto::AcquireParams first = acquiring("x");
  first.slot = "slot-0";
  (void)ask(first);
  resolve('a');
  end<job::ReadBack>(done::ReadSlots{{seen("slot-0"), seen("slot-1")}});
  EXPECT_EQ(refused(freeze), ErrorKind::contended);
}

TEST_F(Freezing, AnAcquireOfOneSlotGetsThatOrNone) {
  open_with_idle();
  proto::AcquireParams params = acquiring("x");
  params.slot = "slot-1";
  params.prepares = true;
  const RequestId id = ask(params);
  resolve('a');
  ASSERT_NE(running<job::Acquire>(), nullptr);
  EXPECT_TRUE(std::get<job::Acquire>(running<job::Acquire>()->spec).prepares);
  finish_acquire();
  EXPECT_EQ(std::get<proto::AcquireResult>(replies[id]).slot, "slot-1");
}

TEST_F(Freezing, HandsListsAndDropsToTheirJobs) {
  open_pool();
  const RequestId list = ask(proto::TemplateListParams{});
  end<job::ListTemplates>(done::TemplatesListed{{proto::TemplateInfo{}}});
  EXPECT_EQ(std::get<proto::TemplateListResult>(replies[list]).templates.size(), 1u);
  proto::TemplateDropParams drop;
  drop.id = "t";
  const RequestId dropped = ask(drop);
  fail<job::DropTemplate>(Fault::source_fault);
  EXPECT_EQ(refused(dropped), ErrorKind::io_error);
}

}  // namespace wtpool::core
