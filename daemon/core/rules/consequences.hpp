// What follows when a job fails: one row for what the job was doing, one column for whose fault it is. Every pair is there,
// and the compiler checks it; what each consequence means for slot, pool and request is done where the job's concept lives.
#pragma once

#include <cstddef>

#include "daemon/core/state/job_specs.hpp"

namespace wtpool::core {

enum class Doing {
  loading,           // a pool is read, its lock taken
  acquiring,         // a slot is made ready for a lease
  ending_processes,  // what a connection lease left running is ended
  releasing,         // up to the marker `releasing`
  recycling,         // from there to idle
  recovering,        // what a dead daemon left half-done is undone or finished
  recording,         // a quarantine record is written
  tending,           // an idle slot is sealed or brought to the tip: nobody waits for it
  asked,             // anything else that somebody asked for: it leaves the slot as it was before
};
inline constexpr std::size_t kDoingCount = 9;

enum class Consequence {
  tell,             // who asked is told; slot and pool are as they were before
  try_again,        // what was being done is begun again, shortly
  count,            // the same, and the third time in a row the slot is quarantined
  wait_for_host,    // the same, later and as often as it takes; who waits for it is told at once
  wait_for_lock,    // another process has the lock: asked again until patience with it is over
  pass_over,        // the request goes on to the next slot; this one is no worse for it
  set_aside,        // the request goes on to the next slot; the third time in a row this one is quarantined
  quarantine_slot,  // nobody touches the slot before a person looked; an acquire goes on to the next
  degrade,          // the pool is unavailable, or goes on with its last good config; other pools are served
};

[[nodiscard]] Doing doing_of(const JobSpec& spec);
[[nodiscard]] Consequence consequence(Doing doing, Fault fault);

// How often a slot may fail in a row.
inline constexpr int kFaultsUntilQuarantine = 3;

}  // namespace wtpool::core
