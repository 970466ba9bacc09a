// Before a job touches a slot: its lock is taken, and its place is proven.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// Takes the lock or throws slot_busy.
[[nodiscard]] disk::SlotLock take_slot_lock(const JobContext& job);
// Proves the place or throws quarantine, naming why.
void prove_place(const JobContext& job, const std::string& git_id);
// The same of a slot that is idle in memory: no marker may stand in it.
void prove_idle(const JobContext& job, const std::string& git_id);

}  // namespace wtpool::jobs
