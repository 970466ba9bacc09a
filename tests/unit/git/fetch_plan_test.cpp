#include "daemon/git/source/fetch_plan.hpp"

#include <gtest/gtest.h>

namespace wtpool::git {
namespace {

using Refspecs = std::vector<std::string>;

const std::vector<RemoteRefs> kOrigin = {{"origin", "refs/remotes/origin/"}};

FetchPlan plan(const std::string& commit, bool own_tags = true) { return plan_fetch({{commit}, false}, kOrigin, own_tags); }

TEST(FetchPlan, AsksForANameByPatternsThatMayMatchNothing) {
  EXPECT_EQ(plan("topic").remotes["origin"].refspecs,
            (Refspecs{"+refs/heads/topic*:refs/remotes/origin/topic*", "+refs/tags/topic*:refs/tags/topic*"}));
  EXPECT_EQ(plan("topic~2^{commit}").remotes["origin"].refspecs, plan("topic").remotes["origin"].refspecs);
  EXPECT_FALSE(plan("topic").all);
}

TEST(FetchPlan, LeavesTheTagsOfAUsersCloneAlone) {
  EXPECT_EQ(plan("v1", false).remotes["origin"].refspecs,
            (Refspecs{"+refs/heads/v1*:refs/remotes/origin/v1*", "+refs/tags/v1*:refs/wtpool/fetched/refs/tags/v1*"}));
}

TEST(FetchPlan, AsksForAnIdByTheId) {
  const std::string id(40, 'a');
  EXPECT_EQ(plan(id).remotes["origin"].ids, std::set<Oid>{Oid(id)});
  EXPECT_TRUE(plan(id).remotes["origin"].refspecs.empty());
  EXPECT_EQ(refspec_of(Oid(id)), "+" + id + ":refs/wtpool/fetched/" + id);
}

TEST(FetchPlan, TakesTheRemoteOutOfAName) {
  const Refspecs branch{"+refs/heads/main*:refs/remotes/origin/main*"};
  EXPECT_EQ(plan("origin/main").remotes["origin"].refspecs, branch);
  EXPECT_EQ(plan("refs/remotes/origin/main").remotes["origin"].refspecs, branch);
  const std::vector<RemoteRefs> two = {{"origin", "refs/remotes/origin/"}, {"up/stream", "refs/up/"}};
  auto other = plan_fetch({{"up/stream/x", "y"}, false}, two, true);
  EXPECT_EQ(other.remotes["up/stream"].refspecs, (Refspecs{"+refs/heads/x*:refs/up/x*"}));
  EXPECT_EQ(other.remotes["origin"].refspecs.size(), 2u);
}

TEST(FetchPlan, KeepsWhatHasAFullNameApart) {
  EXPECT_EQ(plan("refs/pull/7/head").remotes["origin"].refspecs,
            (Refspecs{"+refs/pull/7/head*:refs/wtpool/fetched/refs/pull/7/head*"}));
  EXPECT_EQ(plan("refs/wtpool/fetched/refs/pull/7/head").remotes["origin"].refspecs,
            plan("refs/pull/7/head").remotes["origin"].refspecs);
}

TEST(FetchPlan, AsksForAllWhereNoNameIsMeant) {
  for (const char* commit : {"HEAD", "@", "HEAD~2", "@{u}", "a..b", "-x", "x*", "a b", "", "refs/remotes/unknown/x"}) {
    EXPECT_TRUE(plan(commit).all) << commit;
    EXPECT_TRUE(plan(commit).remotes.empty()) << commit;
  }
}

TEST(FetchPlan, JoinsWhatSeveralWant) {
  const std::string id(40, 'b');
  auto joined = plan_fetch({{"x", "origin/x", id}, false}, kOrigin, true);
  EXPECT_EQ(joined.remotes["origin"].refspecs.size(), 2u);
  EXPECT_EQ(joined.remotes["origin"].ids.size(), 1u);
}

}  // namespace
}  // namespace wtpool::git
