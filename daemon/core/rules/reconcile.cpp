#include "daemon/core/rules/reconcile.hpp"

#include <array>

namespace wtpool::core {
namespace {

using enum Action;

struct Row {
  Seen seen;
  std::array<Action, kHoldsCount> actions;  // in the order of Holds
};

constexpr std::array<Row, kSeenCount> kTable{{
    //                    unknown          fresh            idle             held               busy     quarantined
    // Nothing there: never made, or all of it deleted by hand. A lease outlives its directory and its entry.
    {Seen::absent, {become_fresh, nothing, become_fresh, keep_without_tree, nothing, nothing}},
    // A good worktree without a marker is idle. Under a lease, the marker was deleted by hand: memory knows what it said.
    {Seen::idle, {become_idle, become_idle, nothing, rewrite, nothing, nothing}},
    // A lease is adopted at load only. One that appears later was not made by us.
    {Seen::held, {adopt, quarantine, quarantine, compare, nothing, nothing}},
    // An acquire whose daemon is gone is rolled back. Under a lease, an old marker came back: compared by lease.
    {Seen::acquiring, {recover, quarantine, quarantine, compare, nothing, nothing}},
    // A release whose daemon is gone is rolled forward.
    {Seen::releasing, {recover, quarantine, quarantine, compare, nothing, nothing}},
    // A marker that cannot be read says that somebody holds the slot, but not who. Memory may know.
    {Seen::unreadable, {quarantine, quarantine, quarantine, rewrite, nothing, nothing}},
    // A fresh slot whose making was cut off. A leftover intent under a lease goes with the next release.
    {Seen::intent, {recover, recover, recover, rewrite, nothing, nothing}},
    // A person has to look, whoever wrote that down. A lease in memory is not taken away by a file.
    {Seen::quarantined, {note_quarantine, note_quarantine, note_quarantine, nothing, nothing, nothing}},
    // A directory that is not ours is not touched. A lease on it can still be released.
    {Seen::ghost, {quarantine, quarantine, quarantine, keep_without_tree, nothing, nothing}},
    // Likewise an entry that does not lead to the slot's directory and back.
    {Seen::torn, {quarantine, quarantine, quarantine, keep_without_tree, nothing, nothing}},
}};

constexpr bool every_row_stands_in_its_place() {
  for (std::size_t row = 0; row < kTable.size(); ++row) {
    if (static_cast<std::size_t>(kTable[row].seen) != row) return false;
  }
  return true;
}
static_assert(every_row_stands_in_its_place());
static_assert(static_cast<std::size_t>(Seen::torn) + 1 == kSeenCount);
static_assert(static_cast<std::size_t>(Holds::quarantined) + 1 == kHoldsCount);

}  // namespace

Seen classify(const SlotFacts& facts) {
  using Entry = SlotFacts::Entry;
  using Directory = SlotFacts::Directory;
  if (facts.quarantine) return Seen::quarantined;
  const bool marked = facts.marker_read == SlotFacts::MarkerRead::sound && facts.marker;
  if (marked && facts.marker->state == MarkerState::held) return Seen::held;
  if (marked && facts.marker->state == MarkerState::releasing) return Seen::releasing;
  if (facts.intent) return Seen::intent;
  if (marked) return Seen::acquiring;
  if (facts.marker_read != SlotFacts::MarkerRead::absent) return Seen::unreadable;
  if (facts.entry == Entry::absent) return facts.directory == Directory::absent ? Seen::absent : Seen::ghost;
  if (facts.entry == Entry::torn || facts.entry == Entry::foreign || facts.directory == Directory::absent) return Seen::torn;
  return facts.directory == Directory::sound ? Seen::idle : Seen::ghost;
}

Holds holds(Phase phase) {
  switch (phase) {
    case Phase::fresh:
      return Holds::fresh;
    case Phase::idle:
      return Holds::idle;
    case Phase::held:
      return Holds::held;
    case Phase::quarantined:
      return Holds::quarantined;
    case Phase::making:
    case Phase::acquiring:
    case Phase::releasing:
    case Phase::recycling:
    case Phase::recovering:
    case Phase::repairing:
    case Phase::removing:
      return Holds::busy;
  }
  return Holds::busy;
}

Action reconcile(Seen seen, Holds held) {
  return kTable[static_cast<std::size_t>(seen)].actions[static_cast<std::size_t>(held)];
}

std::string why_quarantined(const SlotFacts& facts, Seen seen, Holds held) {
  const std::string detail = facts.problem.empty() ? std::string() : ": " + facts.problem;
  switch (seen) {
    case Seen::unreadable:
      return "its marker cannot be read" + detail;
    case Seen::ghost:
      return "its directory is not a worktree of this pool's source" + detail;
    case Seen::torn:
      return "its entry in the source's worktrees does not lead to its directory" + detail;
    case Seen::held:
    case Seen::acquiring:
    case Seen::releasing:
      return held == Holds::held ? "the marker of another lease stands in it"
                                 : "a marker appeared that this daemon did not write";
    case Seen::quarantined:
      return facts.quarantine.value_or("");
    case Seen::absent:
    case Seen::idle:
    case Seen::intent:
      break;
  }
  return "it is not as it should be" + detail;
}

}  // namespace wtpool::core
