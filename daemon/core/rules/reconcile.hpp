// Disk tells, memory decides: what to do about a slot when what the disk says of it and what memory holds are put side by
// side. One row for what the disk says, one column for what memory holds; every pair is there, and the compiler checks it.
// Reconciling twice does nothing the second time: each action leads to a pair whose action is `nothing`.
#pragma once

#include <cstddef>

#include "daemon/core/state/host.hpp"

namespace wtpool::core {

// What the disk says of a slot, the marker first: it outranks what stands around it.
enum class Seen {
  absent,       // neither entry nor directory, no marker, no intent
  idle,         // a sound entry and directory, no marker
  held,         // a marker `held`, whatever became of the directory
  acquiring,    // a marker `acquiring`
  releasing,    // a marker `releasing`
  unreadable,   // a marker that is none
  intent,       // an intent file, and no marker further than `acquiring`
  quarantined,  // a quarantine record
  ghost,        // a directory that is not this slot's worktree
  torn,         // an entry that is broken, foreign, or without its directory
};
inline constexpr std::size_t kSeenCount = 10;

// What memory holds, as far as the table cares.
enum class Holds {
  unknown,  // the pool is loaded for the first time, or the slot is new
  fresh,
  idle,
  held,
  busy,  // a job of the slot's own is asked for or runs: its report counts, not this reading
  quarantined,
};
inline constexpr std::size_t kHoldsCount = 6;

enum class Action {
  nothing,
  become_fresh,
  become_idle,
  adopt,              // the lease in the marker is a lease in memory from now on
  compare,            // same lease: nothing, or the marker written again where a field differs; another's: quarantine
  rewrite,            // memory's lease stands; its marker is written again
  keep_without_tree,  // held, its directory is gone: still releasable
  recover,
  quarantine,
  note_quarantine,  // the record stands already: only memory has to know
};

[[nodiscard]] Seen classify(const SlotFacts& facts);
[[nodiscard]] Holds holds(Phase phase);
[[nodiscard]] Action reconcile(Seen seen, Holds held);
// Why a slot that looks like this is quarantined, for a person.
[[nodiscard]] std::string why_quarantined(const SlotFacts& facts, Seen seen, Holds held);

}  // namespace wtpool::core
