#include "daemon/core/rules/eviction.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace wtpool::core {
namespace {

Evictable slot(const std::string& id, std::int64_t last_used, std::uint64_t bytes, std::uint64_t ignored,
               const std::string& pool = "app", std::optional<std::string> group = {}) {
  return {PoolKey(pool), SlotId(id), std::move(group), last_used, bytes, ignored};
}

std::string in_short(const std::vector<Eviction>& chosen) {
  std::string text;
  for (const Eviction& each : chosen) text += each.slot.str() + (each.what == Evict::slot ? "! " : "~ ");
  return text;
}

TEST(Eviction, TakesNothingWhileEnoughIsFree) { EXPECT_TRUE(evictions_for({slot("slot-0", 1, 100, 50)}, 1000, 1000).empty()); }

TEST(Eviction, TakesIgnoredFilesOfTheLongestUnusedFirstAndThenTheSlots) {
  const std::vector<Evictable> slots = {slot("slot-0", 30, 100, 50), slot("slot-1", 10, 100, 50), slot("slot-2", 20, 100, 0)};
  EXPECT_EQ(in_short(evictions_for(slots, 960, 1000)), "slot-1~ slot-0~ slot-1! ");
  EXPECT_EQ(in_short(evictions_for(slots, 999, 1000)), "slot-1~ slot-0~ slot-1! ") << "until a tenth more is free";
  EXPECT_EQ(in_short(evictions_for(slots, 0, 1000)), "slot-1~ slot-0~ slot-1! slot-2! slot-0! ") << "all there is";
  EXPECT_EQ(evictions_for(slots, 999, 1000)[2].bytes, 50u) << "its ignored files are gone by then";
}

TEST(Eviction, OfGcKeepsTheLastUsedOfEachGroup) {
  const std::vector<Evictable> slots = {slot("slot-0", 10, 1, 0), slot("slot-1", 20, 1, 0), slot("ios-0", 5, 1, 0, "b", "ios"),
                                        slot("android-0", 6, 1, 0, "b", "android")};
  EXPECT_EQ(in_short(gc_choice(slots, {100, 1, false})), "slot-0! ");
  EXPECT_EQ(in_short(gc_choice(slots, {100, 0, false})), "ios-0! android-0! slot-0! slot-1! ");
  EXPECT_EQ(in_short(gc_choice(slots, {15, 0, false})), "ios-0! android-0! slot-0! ");
  EXPECT_EQ(in_short(gc_choice({slot("slot-0", 10, 9, 4), slot("slot-1", 20, 1, 0)}, {100, 0, true})), "slot-0~ ");
}

TEST(Eviction, TakesNoMoreThanItNeedsAndNothingTwice) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&](unsigned n) { return random() % n; };
    std::vector<Evictable> slots;
    for (unsigned i = 0; i < pick(8); ++i) {
      const std::uint64_t bytes = pick(1000);
      slots.push_back(slot("slot-" + std::to_string(i), pick(5), bytes, bytes == 0 ? 0 : pick(static_cast<unsigned>(bytes))));
    }
    const std::uint64_t min_free = pick(3000);
    const std::uint64_t free = pick(3000);
    const auto chosen = evictions_for(slots, free, min_free);
    std::uint64_t freed = 0;
    std::set<std::pair<SlotId, Evict>> seen;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      ASSERT_LT(free + freed, min_free + min_free / 10) << seed;
      ASSERT_TRUE(seen.emplace(chosen[i].slot, chosen[i].what).second) << seed;
      freed += chosen[i].bytes;
    }
    std::uint64_t all = 0;
    for (const Evictable& each : slots) all += each.bytes;
    ASSERT_LE(freed, all) << seed;
    if (free < min_free && free + freed < min_free) {
      ASSERT_EQ(freed, all) << "there was more to take, seed " << seed;
    }
  }
}

}  // namespace
}  // namespace wtpool::core
