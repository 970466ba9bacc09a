#include "daemon/core/state/fetch_line.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace wtpool::core {
namespace {

Wants want(const std::string& commit) { return {{commit}, false}; }

TEST(FetchLine, WhoAsksWhileOneRunsWaitsForTheNext) {
  FetchLine line;
  line.ask(RequestId(1), want("a"), false);
  EXPECT_EQ(line.start(), want("a"));
  line.ask(RequestId(2), want("b"), false);
  line.ask(RequestId(3), want("c"), false);
  EXPECT_FALSE(line.may_start());
  const auto over = line.ended(false);
  EXPECT_EQ(over.served, std::vector{RequestId(1)});
  EXPECT_TRUE(over.look.empty());
  EXPECT_TRUE(line.may_start());
  EXPECT_EQ(line.start(), (Wants{{"b", "c"}, false}));
  EXPECT_EQ(line.ended(false).served, (std::vector{RequestId(2), RequestId(3)}));
  EXPECT_FALSE(line.may_start());
}

TEST(FetchLine, WhoWantsAnIdLooksWhetherTheRunningOneBroughtIt) {
  FetchLine line;
  line.ask(RequestId(1), want("a"), true);
  line.start();
  line.ask(RequestId(2), want("a"), true);
  line.ask(RequestId(3), want("b"), true);
  EXPECT_EQ(line.ended(false).look, (std::vector{RequestId(2), RequestId(3)}));
  EXPECT_FALSE(line.may_start()) << "they are looking";
  line.looked(RequestId(2), true);
  line.looked(RequestId(3), false);
  EXPECT_TRUE(line.may_start());
  EXPECT_EQ(line.start(), want("b"));
  EXPECT_EQ(line.ended(false).served, std::vector{RequestId(3)});
}

TEST(FetchLine, NobodyLooksAfterOneThatFailed) {
  FetchLine line;
  line.ask(RequestId(1), want("a"), true);
  line.start();
  line.ask(RequestId(2), want("b"), true);
  EXPECT_TRUE(line.ended(true).look.empty());
  EXPECT_TRUE(line.may_start());
}

TEST(FetchLine, WhoLeavesTakesHisWantsAlong) {
  FetchLine line;
  line.ask(RequestId(1), want("a"), false);
  line.ask(RequestId(2), want("b"), false);
  line.leave(RequestId(1));
  EXPECT_EQ(line.start(), want("b"));
  line.leave(RequestId(2));
  line.ask(RequestId(3), want("c"), true);
  EXPECT_EQ(line.ended(false).look, std::vector{RequestId(3)});
  line.leave(RequestId(3));
  EXPECT_FALSE(line.may_start());
}

// Random histories against what the line promises, with a clock of its own.
TEST(FetchLine, NobodyIsAnsweredFromBeforeHeAskedAndNobodyStarves) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    FetchLine line;
    std::map<RequestId, int> asked;        // when
    std::map<RequestId, int> starts_seen;  // fetches begun since he asked
    std::vector<RequestId> looking;
    int started = 0;
    std::uint64_t next = 1;
    const auto start = [&](int now) {
      started = now;
      for (auto& [who, count] : starts_seen) ++count;
      (void)line.start();
    };
    for (int now = 1; now < 60 || !asked.empty(); ++now) {
      ASSERT_LT(now, 1000) << "somebody starves, seed " << seed;
      const int what = pick(now < 60 ? 6 : 3);
      if (what >= 4) {
        const RequestId who(next++);
        asked[who] = now;
        starts_seen[who] = 0;
        line.ask(who, want(std::to_string(pick(3))), pick(2) == 0);
      } else if (what == 3 && !asked.empty()) {
        const RequestId who = asked.begin()->first;
        line.leave(who);
        std::erase(looking, who);
        asked.erase(who);
        starts_seen.erase(who);
      } else if (!looking.empty()) {
        const RequestId who = looking.back();
        looking.pop_back();
        const bool found = pick(2) == 0;
        line.looked(who, found);
        if (found) {
          asked.erase(who);
          starts_seen.erase(who);
        }
      } else if (line.runs()) {
        const auto over = line.ended(pick(4) == 0);
        looking = over.look;
        for (const RequestId who : over.served) {
          ASSERT_TRUE(asked.contains(who)) << "answered twice, or after he left, seed " << seed;
          ASSERT_GE(started, asked[who]) << "answered from before he asked, seed " << seed;
          ASSERT_LE(starts_seen[who], 1) << "he waited for more than the next one, seed " << seed;
          asked.erase(who);
          starts_seen.erase(who);
        }
      }
      if (line.may_start()) start(now);
      for (const auto& [who, when] : asked) ASSERT_TRUE(line.waits(who)) << "forgotten, seed " << seed;
    }
  }
}

}  // namespace
}  // namespace wtpool::core
