// Which of several slots that cost the same an acquire gets.
#include "daemon/core/rules/placement.hpp"
#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

class Affinity : public Desk {
 protected:
  std::string slot_of(const std::string& name) {
    const RequestId id = hold(name);
    return std::get<proto::AcquireResult>(replies[id]).slot;
  }
  void give_back(const std::string& name, const std::string& id, bool occupied = false) {
    ask(releasing(name));
    end<job::Release>(done::Released{false, "t-" + name, {}, false, {}});
    done::Idle idle{commit('a'), commit('7'), id, {}, {}, occupied};
    end<job::Recycle>(idle);
  }
};

TEST_F(Affinity, IsForTheSlotThatTheNameHadLastAndThenForOneOfItsLine) {
  config.max_slots = 3;
  open_pool();
  for (const char* name : {"ci-1", "web", "docs"}) hold(name);
  give_back("ci-1", "slot-0");
  give_back("web", "slot-1");
  give_back("docs", "slot-2");
  EXPECT_EQ(slot_of("web"), "slot-1");
  EXPECT_EQ(slot_of("ci-2"), "slot-0");
  EXPECT_EQ(slot_of("else"), "slot-2");
}

TEST_F(Affinity, TellsWhoHadTheSlotLast) {
  open_pool();
  const RequestId first = hold("x");
  EXPECT_FALSE(std::get<proto::AcquireResult>(replies[first]).last_name);
  give_back("x", "slot-0");
  const RequestId second = hold("y");
  EXPECT_EQ(std::get<proto::AcquireResult>(replies[second]).last_name, "x");
}

TEST_F(Affinity, OfANameIsLessItsLastPartWhereThatIsDigits) {
  EXPECT_EQ(stem_of("ci-4711"), "ci");
  EXPECT_EQ(stem_of("a/b_2"), "a/b");
  EXPECT_EQ(stem_of("v12"), "v12");
  EXPECT_EQ(stem_of("12"), "12");
  EXPECT_EQ(stem_of("fix-login"), "fix-login");
}

// The README's own example: the shell that typed `release` stands in the slot.
TEST_F(Affinity, PrefersAWarmSlotToAFreshOneUnlessSomethingRunsInIt) {
  open_pool();
  hold("a");
  auto release = releasing("a");
  release.caller_pids = {7, 8};
  ask(release);
  end<job::Release>(done::Released{false, "t", {}, false, {}});
  ASSERT_NE(running<job::Recycle>(), nullptr);
  EXPECT_EQ(std::get<job::Recycle>(running<job::Recycle>()->spec).caller_pids, (std::vector<std::int64_t>{7, 8}));
  done::Idle idle{commit('a'), commit('7'), "slot-0", {}, {}, false};
  idle.stood_in = true;
  end<job::Recycle>(idle);
  EXPECT_EQ(slot_of("b"), "slot-0");
  give_back("b", "slot-0", true);
  EXPECT_EQ(slot_of("c"), "slot-1");
}

}  // namespace
}  // namespace wtpool::core
