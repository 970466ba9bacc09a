// hooks.get: of which commit they are read, and what the core says beside.
#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

class Hooks : public Desk {
 protected:
  void SetUp() override {
    open_pool();
    hold("x");
  }
  proto::HooksResult answered(RequestId id) {
    done::HooksRead done;
    done.result.hooks.push_back({"pre_go", "pool", "true", "sh", {}, {}});
    end<job::ReadHooks>(done);
    return std::get<proto::HooksResult>(replies.at(id));
  }
};

TEST_F(Hooks, AreThoseOfTheSlotThatIsNamedOrStoodIn) {
  host.settings.hook_timeout = seconds(7);
  proto::HooksGetParams named;
  named.target.target = "x";
  proto::HooksGetParams standing;
  standing.scope.cwd = "/pools/app/slot-0/src";
  for (const auto& params : {named, standing}) {
    const auto id = ask(params);
    const auto* job = running<job::ReadHooks>();
    ASSERT_NE(job, nullptr);
    EXPECT_EQ(std::get<job::ReadHooks>(job->spec).git_id, host.pools.at(PoolKey("app")).slots.at(SlotId("slot-0")).git_id);
    const auto result = answered(id);
    EXPECT_EQ(result.timeout_seconds, 7);
    EXPECT_EQ(result.hooks.size(), 1u);
    ASSERT_TRUE(result.held);
    EXPECT_EQ(result.held->name, "x");
  }
}

TEST_F(Hooks, AreThoseOfThePoolWhereNoSlotIsMeant) {
  const auto id = ask(proto::HooksGetParams{});
  EXPECT_EQ(std::get<job::ReadHooks>(running<job::ReadHooks>()->spec).git_id, "");
  EXPECT_FALSE(answered(id).held);
}

TEST_F(Hooks, OfWhatIsNotHeldOrNoCommitAreRefused) {
  proto::HooksGetParams params;
  params.target.target = "y";
  EXPECT_EQ(refusals.at(ask(params)).kind, ErrorKind::not_held);
  proto::HooksGetParams name;
  name.commit = "main";
  EXPECT_EQ(refusals.at(ask(name)).kind, ErrorKind::invalid_params);
}

}  // namespace
}  // namespace wtpool::core
