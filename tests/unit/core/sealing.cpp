#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

using Why = done::NotSealed::Why;

class Seals : public Desk {
 protected:
  Seals() {
    host.settings.seal_watches = 100;
    host.settings.seal_slots = 10;
    facts = {seen("slot-0"), seen("slot-1")};
  }

  void seal_next(std::size_t watches = 40) { end<job::Seal>(done::Sealed{commit('a'), commit('7'), watches}); }
  void seal_fails(Why why) { end<job::Seal>(done::NotSealed{why, "no"}); }
  [[nodiscard]] std::optional<SlotId> being_sealed() {
    const auto* job = running<job::Seal>();
    return job == nullptr ? std::nullopt : std::optional(job->grant.slot);
  }
  [[nodiscard]] bool dropped(const std::string& id) const {
    for (const Effect& each : effects) {
      const auto* drop = std::get_if<effect::DropSeal>(&each);
      if (drop != nullptr && drop->slot.str() == id) return true;
    }
    return false;
  }
  [[nodiscard]] bool emitted(const std::string& type) const {
    for (const Effect& each : effects) {
      const auto* emit = std::get_if<effect::Emit>(&each);
      if (emit != nullptr && emit->note.type == type) return true;
    }
    return false;
  }
  [[nodiscard]] bool stopped(JobId id) const {
    for (const Effect& each : effects) {
      const auto* stop = std::get_if<effect::StopJob>(&each);
      if (stop != nullptr && stop->job == id) return true;
    }
    return false;
  }
};

TEST_F(Seals, AreMadeOfIdleSlotsOneAfterAnother) {
  open_pool();
  ASSERT_EQ(being_sealed(), SlotId("slot-0"));
  seal_next();
  EXPECT_TRUE(emitted("sealed"));
  EXPECT_TRUE(slot("slot-0").sealed);
  EXPECT_EQ(being_sealed(), SlotId("slot-1"));
  seal_next();
  EXPECT_TRUE(slot("slot-1").sealed);
  EXPECT_FALSE(being_sealed());
  EXPECT_FALSE(next_deadline(host) && *next_deadline(host) <= now.awake);
}

TEST_F(Seals, AreNotMadeWhereThereAreNoWatches) {
  host.settings.seal_watches = 0;
  open_pool();
  EXPECT_FALSE(being_sealed());
}

TEST_F(Seals, AreTakenByTheAcquireThatGetsTheSlot) {
  open_pool();
  seal_next();
  seal_next();
  ask(acquiring("x"));
  resolve();
  const auto* job = running<job::Acquire>();
  ASSERT_NE(job, nullptr);
  EXPECT_TRUE(std::get<job::Acquire>(job->spec).sealed);
  EXPECT_FALSE(dropped(job->grant.slot.str()));
  EXPECT_FALSE(slot(job->grant.slot.str()).sealed);
}

TEST_F(Seals, OfASlotAtTheCommitComeBeforeUnsealedOnes) {
  open_pool();
  seal_fails(Why::busy);  // slot-0
  seal_next();            // slot-1
  ask(acquiring("x"));
  resolve();
  EXPECT_EQ(running<job::Acquire>()->grant.slot, SlotId("slot-1"));
}

TEST_F(Seals, EndWithAnythingThatHappensInTheTreeAndComeBackWhenItWasQuiet) {
  open_pool();
  seal_next();
  seal_next();
  happen(event::Unsealed{PoolKey("app"), SlotId("slot-0")});
  EXPECT_TRUE(emitted("unsealed"));
  EXPECT_FALSE(slot("slot-0").sealed);
  EXPECT_FALSE(being_sealed());
  pass(seconds(29));
  EXPECT_FALSE(being_sealed());
  pass(seconds(1));
  EXPECT_EQ(being_sealed(), SlotId("slot-0"));
}

TEST_F(Seals, ThatEndBeforeTheirJobHasSaidSoAreNone) {
  open_pool();
  happen(event::Unsealed{PoolKey("app"), SlotId("slot-0")});
  seal_next();
  EXPECT_FALSE(slot("slot-0").sealed);
  EXPECT_FALSE(emitted("sealed"));
}

TEST_F(Seals, GiveWayToAnAcquireOfTheirSlot) {
  facts = {seen("slot-0")};
  config.max_slots = 1;
  open_pool();
  const JobId sealing = running<job::Seal>()->grant.job;
  ask(acquiring("x"));
  resolve();
  EXPECT_TRUE(stopped(sealing));
  EXPECT_EQ(running<job::Acquire>(), nullptr);
  fail<job::Seal>(Fault::cancelled, ErrorKind::cancelled);
  ASSERT_NE(running<job::Acquire>(), nullptr);
  EXPECT_FALSE(std::get<job::Acquire>(running<job::Acquire>()->spec).sealed);
}

TEST_F(Seals, ThatAreDoneTooLateAreDropped) {
  facts = {seen("slot-0")};
  config.max_slots = 1;
  open_pool();
  ask(acquiring("x"));
  resolve();
  seal_next();
  EXPECT_TRUE(dropped("slot-0"));
  EXPECT_FALSE(slot("slot-0").sealed);
  ASSERT_NE(running<job::Acquire>(), nullptr);
  EXPECT_FALSE(std::get<job::Acquire>(running<job::Acquire>()->spec).sealed);
}

TEST_F(Seals, ASlotThatIsNotBeingSealedIsPreferred) {
  open_pool();
  ASSERT_EQ(being_sealed(), SlotId("slot-0"));
  ask(acquiring("x"));
  resolve();
  ASSERT_NE(running<job::Acquire>(), nullptr);
  EXPECT_EQ(running<job::Acquire>()->grant.slot, SlotId("slot-1"));
}

TEST_F(Seals, WaitForWhoWaitsForASlot) {
  facts = {};
  config.max_slots = 1;
  open_pool();
  hold("x");
  auto params = acquiring("y");
  params.wait_ms = 0;
  ask(params);
  resolve();
  ask(releasing("x"));
  end<job::Release>(done::Released{});
  recycle();
  EXPECT_FALSE(being_sealed());
  EXPECT_NE(running<job::Acquire>(), nullptr);
}

TEST_F(Seals, AreMadeOfWhatWasJustRecycled) {
  facts = {};
  config.max_slots = 1;
  open_pool();
  hold("x");
  ask(releasing("x"));
  end<job::Release>(done::Released{});
  recycle();
  EXPECT_EQ(being_sealed(), SlotId("slot-0"));
}

TEST_F(Seals, KeepWithinTheWatchesThatThereAreAndTheOldestMakesRoom) {
  open_pool();
  seal_next(60);
  ASSERT_EQ(being_sealed(), SlotId("slot-1"));
  EXPECT_EQ(std::get<job::Seal>(running<job::Seal>()->spec).watch_limit, 40u);
  seal_fails(Why::limit);
  EXPECT_TRUE(slot("slot-0").sealed) << "neither was used: the one that has it keeps it";
  EXPECT_FALSE(being_sealed());

  // Both are used, slot-1 last.
  const auto use = [&](const std::string& name) {
    ask(acquiring(name));
    resolve();
    finish_acquire();
  };
  use("x");
  use("y");
  ASSERT_EQ(slot("slot-1").lease->name, "y");
  const auto give_back = [&](const std::string& name, const std::string& id) {
    ask(releasing(name));
    end<job::Release>(done::Released{});
    end<job::Recycle>(done::Idle{commit('a'), commit('7'), id, {}, {}, false});
  };
  give_back("x", "slot-0");
  seal_next(60);
  give_back("y", "slot-1");
  seal_fails(Why::limit);
  EXPECT_TRUE(dropped("slot-0"));
  EXPECT_FALSE(slot("slot-0").sealed);
  ASSERT_EQ(being_sealed(), SlotId("slot-1"));
  EXPECT_EQ(std::get<job::Seal>(running<job::Seal>()->spec).watch_limit, 100u);
  seal_next(60);
  EXPECT_TRUE(slot("slot-1").sealed);
}

TEST_F(Seals, ThatTheSystemCannotMakeAreNotTriedUntilTheSlotWasUsed) {
  facts = {seen("slot-0")};
  config.max_slots = 1;
  open_pool();
  seal_fails(Why::unsupported);
  pass(std::chrono::minutes(50));
  end<job::ExpireTrash>(done::Plain{});
  EXPECT_FALSE(being_sealed());
  hold("x");
  ask(releasing("x"));
  end<job::Release>(done::Released{});
  recycle();
  EXPECT_TRUE(being_sealed());
}

TEST_F(Seals, OfSlotsThatAreTakenAwayAreDropped) {
  open_pool();
  seal_next();
  seal_next();
  proto::SlotRemoveParams params;
  params.slot = "slot-0";
  ask(params);
  EXPECT_TRUE(dropped("slot-0"));
  EXPECT_FALSE(slot("slot-0").sealed);
}

TEST_F(Seals, AreNotBegunWhenTheDaemonEnds) {
  open_pool();
  ASSERT_TRUE(being_sealed());
  const JobId sealing = running<job::Seal>()->grant.job;
  happen(event::Shutdown{});
  EXPECT_TRUE(stopped(sealing));
  fail<job::Seal>(Fault::cancelled, ErrorKind::cancelled);
  EXPECT_FALSE(being_sealed());
  EXPECT_TRUE(drained);
}

TEST_F(Seals, VerifyIsPassedOn) {
  open_pool();
  seal_next();
  seal_next();
  auto params = acquiring("x");
  params.verify = true;
  ask(params);
  resolve();
  EXPECT_TRUE(std::get<job::Acquire>(running<job::Acquire>()->spec).verify);
}

}  // namespace
}  // namespace wtpool::core
