// From whatever a holder left to an idle tree.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// Step 6 of a release: from whatever the holder left to an idle tree; the marker stays. Throws when work could not be kept.
[[nodiscard]] core::done::Idle recycle_tree(const JobContext& job, const std::string& git_id, const core::Lease& lease,
                                            core::Dirty dirty, const std::string& trash_id, const disk::SlotLock& lock,
                                            const std::vector<std::int64_t>& callers = {});
// Of a process with its working directory in a slot: does it do something there, or is it a shell that waits for its user?
[[nodiscard]] bool runs_something(const std::string& command);

}  // namespace wtpool::jobs
