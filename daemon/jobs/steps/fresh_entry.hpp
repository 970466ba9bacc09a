// A fresh slot gets its worktree entry and its directory, with nothing of a commit in it yet.
#pragma once

#include <functional>
#include <string>

#include "daemon/disk/locks.hpp"
#include "daemon/jobs/slot/job.hpp"
#include "daemon/jobs/slot/undo_steps.hpp"

namespace wtpool::jobs {

// The entry stands at `at`, under `marker`, and the source's writer is given back. `git_id` is set as soon as there is one: the
// undo goes by it.
void make_fresh_entry(JobContext& job, const disk::SlotLock& lock, Steps& steps, const core::Marker& marker, const Oid& at,
                      std::string& git_id);

}  // namespace wtpool::jobs
