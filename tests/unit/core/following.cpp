#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

// The line is f (the tip), e, d, c, b; a is not on it.
class Following : public Desk {
 protected:
  Following() {
    host.settings.tip_every = seconds(5);
    host.settings.seal_watches = 100;
    host.settings.seal_slots = 10;
  }

  void stand(const std::string& digits) {
    int number = 0;
    for (const char digit : digits) {
      facts.push_back(seen("slot-" + std::to_string(number++)));
      facts.back().head = commit(digit);
    }
    config.max_slots = number;
  }
  void look(const std::string& line) {
    std::vector<Oid> ids;
    for (const char digit : line) ids.push_back(commit(digit));
    end<job::LookAtTip>(done::TipSeen{ids.front(), ids});
  }
  void seal(char digit) { end<job::Seal>(done::Sealed{commit(digit), commit(digit), 1}); }
  SlotId placed_for(char digit) {
    ask(acquiring("x"));
    done::Resolved resolved;
    resolved.commit = commit(digit);
    resolved.tree = commit(digit);
    end<job::Resolve>(resolved);
    return running<job::Acquire>()->grant.slot;
  }
};

TEST_F(Following, TheSlotNearestAlongTheLineIsTaken) {
  host.settings.seal_watches = 0;
  stand("abe");
  open_pool();
  look("fedcb");
  EXPECT_EQ(placed_for('d'), SlotId("slot-2"));
}

TEST_F(Following, NearIsNearInBothDirections) {
  host.settings.seal_watches = 0;
  stand("fb");
  open_pool();
  look("fedcb");
  EXPECT_EQ(placed_for('c'), SlotId("slot-1"));
}

TEST_F(Following, ASlotOffTheLineIsTakenLast) {
  host.settings.seal_watches = 0;
  stand("ab");
  open_pool();
  look("fedcb");
  EXPECT_EQ(placed_for('f'), SlotId("slot-1"));
}

TEST_F(Following, TheTipIsLookedAtAgainAfterAWhileAndAfterAFetch) {
  stand("a");
  host.settings.seal_watches = 0;
  config.fetch.when = FetchPolicy::When::always;
  open_pool();
  look("fe");
  EXPECT_EQ(running<job::LookAtTip>(), nullptr);
  pass(seconds(5));
  ASSERT_NE(running<job::LookAtTip>(), nullptr);
  EXPECT_EQ(std::get<job::LookAtTip>(running<job::LookAtTip>()->spec).known, commit('f'));
  look("fe");
  ask(acquiring("x"));
  end<job::Fetch>(done::Fetched{});
  EXPECT_NE(running<job::LookAtTip>(), nullptr);
}

TEST_F(Following, IsNotDoneWhereNothingIsIdle) {
  open_pool();
  EXPECT_EQ(running<job::LookAtTip>(), nullptr);
  pass(seconds(50));
  EXPECT_EQ(running<job::LookAtTip>(), nullptr);
}

TEST_F(Following, ASealedSlotAtAnEarlierTipIsBroughtAlong) {
  stand("e");
  open_pool();
  look("fedcb");
  EXPECT_EQ(running<job::Advance>(), nullptr) << "not before it is proven clean";
  seal('e');
  const auto* job = running<job::Advance>();
  ASSERT_NE(job, nullptr);
  EXPECT_EQ(std::get<job::Advance>(job->spec).to, commit('f'));
  EXPECT_FALSE(slot("slot-0").sealed);
  end<job::Advance>(done::Idle{commit('f'), commit('f'), "slot-0", {}, {}, false});
  EXPECT_EQ(slot("slot-0").at, commit('f'));
  seal('f');
  EXPECT_TRUE(slot("slot-0").sealed);
  EXPECT_EQ(running<job::Advance>(), nullptr);
}

TEST_F(Following, OneAtATime) {
  stand("ed");
  open_pool();
  look("fedcb");
  seal('e');
  ASSERT_NE(running<job::Advance>(), nullptr);
  const SlotId first = running<job::Advance>()->grant.slot;
  end<job::Advance>(done::Idle{commit('f'), commit('f'), first.str(), {}, {}, false});
  seal('d');
  EXPECT_NE(running<job::Advance>()->grant.slot, first);
}

TEST_F(Following, ASlotAtACommitOffTheLineStays) {
  stand("a");
  open_pool();
  look("fedcb");
  seal('a');
  EXPECT_EQ(running<job::Advance>(), nullptr);
}

TEST_F(Following, ASlotThatDidNotGoAlongIsNotTriedAgainForThatTip) {
  stand("e");
  open_pool();
  look("fedcb");
  seal('e');
  end<job::Advance>(done::NotSealed{done::NotSealed::Why::dirty, "in the way"});
  pass(seconds(30));
  look("fedcb");
  seal('e');
  EXPECT_EQ(running<job::Advance>(), nullptr);
  pass(seconds(5));
  look("9fedcb");
  EXPECT_NE(running<job::Advance>(), nullptr) << "the next tip is another matter";
}

TEST_F(Following, CanBeSwitchedOff) {
  host.settings.follow_tip = false;
  stand("e");
  open_pool();
  look("fedcb");
  seal('e');
  EXPECT_EQ(running<job::Advance>(), nullptr);
}

TEST_F(Following, WhoWantsASlotThatIsBeingBroughtAlongGetsItAfterwards) {
  stand("e");
  open_pool();
  look("fedcb");
  seal('e');
  ask(acquiring("x"));
  resolve('f');
  EXPECT_EQ(running<job::Acquire>(), nullptr);
  end<job::Advance>(done::Idle{commit('f'), commit('f'), "slot-0", {}, {}, false});
  EXPECT_NE(running<job::Acquire>(), nullptr);
}

// Who gave it back at an older commit may come back for it.
TEST_F(Following, ASlotGivenBackElsewhereStaysThereUntilTheTipMoves) {
  host.settings.follow_tip = false;
  stand("e");
  open_pool();
  look("fedcb");
  seal('e');
  ask(acquiring("x"));
  resolve('e');
  finish_acquire();
  ask(releasing("x"));
  end<job::Release>(done::Released{false, "t", {}, false, {}});
  end<job::Recycle>(done::Idle{commit('e'), commit('e'), "slot-0", {}, {}, false});
  host.settings.follow_tip = true;
  pass(seconds(5));
  look("fedcb");
  seal('e');
  EXPECT_EQ(running<job::Advance>(), nullptr);
  pass(seconds(5));
  look("9fedcb");
  EXPECT_NE(running<job::Advance>(), nullptr);
}

}  // namespace
}  // namespace wtpool::core
