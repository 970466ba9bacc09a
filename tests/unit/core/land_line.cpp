// The line of one target, driven by random histories of passes, failures, cancels, lost swaps and deaths.
#include "daemon/core/state/land_line.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "daemon/core/state/overloaded.hpp"

namespace wtpool::core {
namespace {

Error failure(const std::string& why) { return {ErrorKind::internal, why}; }

RequestId nth(std::uint64_t n) { return RequestId(n); }

template <class A>
const A* only(const std::vector<LandAction>& actions) {
  EXPECT_EQ(actions.size(), 1U);
  return actions.size() == 1 ? std::get_if<A>(&actions.front()) : nullptr;
}

TEST(LandLine, OneIsMadeTestedAndMoved) {
  LandLine line;
  line.enter(nth(1), true);
  const auto asked = next(line, 4);
  const auto* make = only<land::Make>(asked);
  ASSERT_NE(make, nullptr);
  EXPECT_TRUE(make->base.empty());
  EXPECT_TRUE(next(line, 4).empty());
  line.made(nth(1), make->version, Oid("t"), Oid("c"), false);
  const auto told = next(line, 4);
  ASSERT_NE(only<land::Test>(told), nullptr);
  line.test_ended(nth(1), Oid("other"), std::nullopt);
  EXPECT_TRUE(next(line, 4).empty());
  line.test_ended(nth(1), Oid("c"), std::nullopt);
  ASSERT_NE(only<land::Move>(next(line, 4)), nullptr);
  line.moved(nth(1));
  EXPECT_TRUE(line.entries.empty());
  EXPECT_EQ(line.at, Oid("c"));
}

TEST(LandLine, TheSecondIsMadeOnTheCandidateOfTheFirst) {
  LandLine line;
  line.enter(nth(1), true);
  line.enter(nth(2), true);
  const auto asked = next(line, 4);
  line.made(nth(1), std::get<land::Make>(asked.at(0)).version, Oid("t"), Oid("c"), false);
  const auto both = next(line, 4);
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(std::get<land::Test>(both[0]).candidate, Oid("c"));
  EXPECT_EQ(std::get<land::Make>(both[1]).base, Oid("c"));
}

TEST(LandLine, ATrainOfOneIsSerial) {
  LandLine line;
  line.enter(nth(1), true);
  line.enter(nth(2), true);
  const auto asked = next(line, 1);
  line.made(nth(1), std::get<land::Make>(asked.at(0)).version, Oid("t"), Oid("c"), false);
  EXPECT_NE(only<land::Test>(next(line, 1)), nullptr);
}

TEST(LandLine, AFailureOfTheSecondWaitsForTheFirst) {
  LandLine line;
  line.enter(nth(1), true);
  line.enter(nth(2), true);
  line.made(nth(1), std::get<land::Make>(next(line, 4).at(0)).version, Oid("t"), Oid("c"), false);
  line.made(nth(2), std::get<land::Make>(next(line, 4).at(1)).version, Oid("c"), Oid("d"), false);
  (void)next(line, 4);
  line.test_ended(nth(2), Oid("d"), failure("red"));
  EXPECT_TRUE(next(line, 4).empty());
  // The first was to blame: the second is made anew.
  line.test_ended(nth(1), Oid("c"), failure("red"));
  const auto after = next(line, 4);
  ASSERT_EQ(after.size(), 2U);
  EXPECT_EQ(std::get<land::Refuse>(after[0]).request, nth(1));
  EXPECT_EQ(std::get<land::Make>(after[1]).request, nth(2));
}

TEST(LandLine, AfterFiveLostSwapsItIsRefused) {
  LandLine line;
  line.enter(nth(1), false);
  for (int i = 0; i < LandLine::kTries; ++i) {
    line.made(nth(1), std::get<land::Make>(next(line, 4).at(0)).version, Oid("t" + std::to_string(i)), Oid("c"), false);
    ASSERT_NE(only<land::Move>(next(line, 4)), nullptr);
    line.lost(nth(1), failure("moved"));
  }
  EXPECT_NE(only<land::Refuse>(next(line, 4)), nullptr);
  EXPECT_TRUE(line.entries.empty());
}

// A world in which each candidate is known by who is in it. Whoever is bad fails every test of a candidate that has him.
class World {
 public:
  explicit World(unsigned seed) : random_(seed), train_(1 + random_() % 5) {}

  void run() {
    const int steps = 150;
    for (int i = 0; i < steps; ++i) {
      one_step(i < steps * 2 / 3);
      act();
    }
    for (int i = 0; i < 4000 && !(line_.entries.empty() && moving_ == nullptr_request()); ++i) {
      one_step(false);
      act();
    }
    EXPECT_TRUE(line_.entries.empty()) << "somebody is held up";
    for (const auto& [id, who] : clients_) {
      if (who.left) continue;
      EXPECT_TRUE(who.ended);
      EXPECT_EQ(who.landed, !who.bad && !who.refused_for_swaps && !who.nothing) << id.value();
    }
  }

 private:
  struct Client {
    bool bad = false, tests = false, nothing = false, left = false, ended = false, landed = false, refused_for_swaps = false;
    std::uint64_t order = 0;
  };
  struct Made {
    Oid base;
    std::set<RequestId> has;
  };

  static RequestId nullptr_request() { return RequestId(0); }
  bool chance(unsigned one_in) { return random_() % one_in == 0; }

  void one_step(bool arrivals) {
    if (arrivals && chance(4)) {
      const RequestId id(++last_);
      Client who;
      who.tests = !chance(4);
      who.bad = who.tests && chance(4);  // one who does not test is never found bad
      who.nothing = !who.bad && chance(8);
      who.order = last_;
      clients_[id] = who;
      line_.enter(id, who.tests);
      return;
    }
    if (arrivals && chance(15) && last_ > 0) {
      const RequestId id(1 + random_() % last_);
      if (!clients_[id].ended && !clients_[id].left) {
        clients_[id].left = true;
        line_.leave(id);
      }
      return;
    }
    if (arrivals && chance(10) && moving_ == nullptr_request()) foreign_ = true;
    if (!makes_.empty() && chance(2)) return answer_make();
    if (!tests_.empty() && chance(2)) return answer_test();
    if (moving_ != nullptr_request() && chance(2)) answer_move();
  }

  void answer_make() {
    const std::size_t which = random_() % makes_.size();
    const land::Make make = makes_[which];
    makes_.erase(makes_.begin() + static_cast<std::ptrdiff_t>(which));
    const Oid base = make.base.empty() ? target_ : make.base;
    const Client& who = clients_[make.request];
    if (who.bad && chance(2)) return line_.not_made(make.request, make.version, base, failure("conflict"));
    Made made{base, all_[base].has};
    made.has.insert(make.request);
    const Oid id("c" + std::to_string(++commits_));
    all_[id] = made;
    line_.made(make.request, make.version, base, id, who.nothing);
  }

  void answer_test() {
    const std::size_t which = random_() % tests_.size();
    const land::Test test = tests_[which];
    tests_.erase(tests_.begin() + static_cast<std::ptrdiff_t>(which));
    bool bad = false;
    for (const RequestId id : all_[test.candidate].has) bad = bad || clients_[id].bad;
    if (!bad) passed_.insert({test.request, test.candidate});
    line_.test_ended(test.request, test.candidate, bad ? std::optional(failure("red")) : std::nullopt);
  }

  void answer_move() {
    const RequestId id = std::exchange(moving_, nullptr_request());
    const LandEntry entry = *line_.find(id);
    Client& who = clients_[id];
    if (foreign_) {
      foreign_ = false;
      target_ = Oid("f" + std::to_string(++commits_));
      all_[target_].has = all_[entry.base].has;
    }
    if (entry.base != target_) {
      if (entry.tries == LandLine::kTries) who.refused_for_swaps = true;
      return line_.lost(id, failure("moved"));
    }
    EXPECT_EQ(all_[entry.candidate].base, target_);
    EXPECT_TRUE(!who.tests || passed_.contains({id, entry.candidate})) << "what lands was not tested";
    EXPECT_GT(who.order, last_landed_) << "out of order";
    for (const RequestId in : all_[entry.candidate].has) EXPECT_FALSE(clients_[in].bad);
    last_landed_ = who.order;
    target_ = entry.candidate;
    who.landed = who.ended = true;
    line_.moved(id);
  }

  void act() {
    for (const LandAction& action : next(line_, train_)) {
      std::visit(Overloaded{
                     [&](const land::Make& make) { makes_.push_back(make); },
                     [&](const land::Test& test) { tests_.push_back(test); },
                     [&](const land::Move& move) {
                       EXPECT_EQ(moving_, nullptr_request());
                       moving_ = move.request;
                     },
                     [&](const land::Refuse& refuse) {
                       Client& who = clients_[refuse.request];
                       EXPECT_TRUE(who.bad || who.refused_for_swaps) << refuse.request.value() << " is refused for another";
                       who.ended = true;
                     },
                     [&](const land::AlreadyLanded& landed) {
                       EXPECT_TRUE(clients_[landed.request].nothing);
                       clients_[landed.request].ended = true;
                     },
                 },
                 action);
    }
    std::size_t busy = 0;
    for (std::size_t i = 0; i < line_.entries.size(); ++i) {
      const LandEntry& entry = line_.entries[i];
      busy += entry.step != LandEntry::Step::waiting || !entry.candidate.empty() ? 1 : 0;
      EXPECT_TRUE(i == 0 || entry.base.empty() || entry.base == line_.entries[i - 1].candidate);
    }
    EXPECT_LE(busy, train_);
    EXPECT_TRUE(next(line_, train_).empty());
  }

  std::mt19937 random_;
  std::size_t train_;
  LandLine line_;
  std::map<RequestId, Client> clients_;
  std::map<Oid, Made> all_;
  std::set<std::pair<RequestId, Oid>> passed_;
  std::vector<land::Make> makes_;
  std::vector<land::Test> tests_;
  RequestId moving_{0};
  Oid target_{"t"};
  bool foreign_ = false;
  std::uint64_t last_ = 0, last_landed_ = 0;
  int commits_ = 0;
};

TEST(LandLine, KeepsItsRulesInRandomHistories) {
  for (unsigned seed = 1; seed <= 10000 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World(seed).run();
  }
}

}  // namespace
}  // namespace wtpool::core
