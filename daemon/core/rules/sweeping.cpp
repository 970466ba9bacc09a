#include "daemon/core/rules/sweeping.hpp"

#include <array>

namespace wtpool::core {
namespace {

enum class Is : std::uint8_t { no, yes, any };
using enum Is;

struct Row {
  Is broken, busy, dirty, moved, merged, old;
  SweepClass sweep_class;
};

constexpr std::array<Row, 7> kTable{{
    // broken, busy, dirty, moved, merged, old
    // Nobody can tell what is in it.
    {yes, any, any, any, any, any, SweepClass::broken},
    // Somebody is at work in it, whatever it holds.
    {no, yes, any, any, any, any, SweepClass::busy},
    // Work that is in no commit.
    {no, no, yes, any, any, any, SweepClass::dirty},
    // Commits were made, and the target has them all.
    {no, no, no, yes, yes, any, SweepClass::merged},
    // None was made: what it stands at is the target's own. Its holder may be about to begin.
    {no, no, no, no, yes, yes, SweepClass::empty},
    {no, no, no, no, yes, no, SweepClass::young},
    // The target lacks something, or nobody could tell that it does not.
    {no, no, no, any, no, any, SweepClass::ahead},
}};

constexpr bool fits(Is wanted, bool is) { return wanted == any || (wanted == yes) == is; }
constexpr bool fits(const Row& row, const Finished& lease) {
  return fits(row.broken, lease.broken) && fits(row.busy, lease.busy) && fits(row.dirty, lease.dirty) &&
         fits(row.moved, lease.moved) && fits(row.merged, lease.merged) && fits(row.old, lease.old);
}
constexpr Finished lease_of(unsigned bits) {
  return {(bits & 1U) != 0, (bits & 2U) != 0, (bits & 4U) != 0, (bits & 8U) != 0, (bits & 16U) != 0, (bits & 32U) != 0};
}
constexpr bool each_lease_has_exactly_one_row() {
  for (unsigned bits = 0; bits < 64; ++bits) {
    int rows = 0;
    for (const Row& row : kTable) rows += fits(row, lease_of(bits)) ? 1 : 0;
    if (rows != 1) return false;
  }
  return true;
}
static_assert(each_lease_has_exactly_one_row());

std::string count_of(std::int64_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

std::string why_dirty(const SweepFacts& facts) {
  std::string text;
  if (facts.info.dirty > 0) text = count_of(facts.info.dirty, "tracked file") + " changed";
  if (facts.new_untracked > 0) text += (text.empty() ? "" : ", ") + count_of(facts.new_untracked, "new file");
  return text;
}

std::string why_busy(const SweepFacts& facts, std::size_t sessions) {
  if (sessions > 0)
    return count_of(static_cast<std::int64_t>(sessions), "session") + (sessions == 1 ? " is" : " are") + " attached";
  if (facts.process) return *facts.process;
  return "a " + facts.info.operation.value_or("command") + " is half done";
}

}  // namespace

SweepClass class_of(const Finished& lease) {
  for (const Row& row : kTable) {
    if (fits(row, lease)) return row.sweep_class;
  }
  return SweepClass::broken;
}

Judgement judge(const SweepFacts& facts, std::size_t sessions, seconds held, seconds min_age) {
  Finished lease;
  lease.broken = facts.broken.has_value();
  lease.busy = sessions > 0 || facts.process || facts.info.operation;
  lease.dirty = facts.info.dirty > 0 || facts.new_untracked > 0;
  lease.moved = facts.moved;
  lease.merged = facts.info.merged.has_value();
  lease.old = held >= min_age;
  const auto sweep_class = class_of(lease);
  switch (sweep_class) {
    case SweepClass::broken:
      return {sweep_class, *facts.broken};
    case SweepClass::busy:
      return {sweep_class, why_busy(facts, sessions)};
    case SweepClass::dirty:
      return {sweep_class, why_dirty(facts)};
    case SweepClass::merged:
      return {sweep_class, facts.info.merged->target + " lacks nothing of it"};
    case SweepClass::empty:
      return {sweep_class, "no commit was made in it"};
    case SweepClass::young:
      return {sweep_class, "no commit was made in it yet"};
    case SweepClass::ahead:
      break;
  }
  if (!facts.compared) return {SweepClass::ahead, "it could not be compared with a target"};
  return {SweepClass::ahead, facts.info.ahead == 0 ? std::string("its branch has commits that the target lacks")
                                                   : count_of(facts.info.ahead, "commit") + " that the target lacks"};
}

}  // namespace wtpool::core
