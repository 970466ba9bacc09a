// A slot is taken away; what stands in no other place is kept first.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// Whoever the last holder was, or nobody: then no branch is anybody's to delete, and HEAD is kept where no ref leads to it.
[[nodiscard]] core::Lease last_lease(const core::SlotFacts& facts);

// What cannot be kept, an object of it being damaged, is given up only by who said so.
std::optional<std::string> keep_head(const JobContext& job, const std::string& git_id, core::Dirty dirty,
                                     const std::string& trash_id);

// Takes a slot away piece by piece; each is kept under `trash_id` before it goes.
core::done::Fresh take_apart(const JobContext& job, const core::SlotFacts& facts, const core::Lease& lease, core::Dirty dirty,
                             const std::string& trash_id, const disk::SlotLock& lock);

// Takes away what is left of a slot that has no directory and no marker: its entry; what was staged, and commits of its HEAD
// that no ref leads to, are kept. The trash id, if anything was.
std::optional<std::string> forget_slot(const JobContext& job, const core::SlotFacts& facts, const disk::SlotLock& lock);

}  // namespace wtpool::jobs
