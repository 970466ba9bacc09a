// From whatever a holder left to an idle tree.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// Step 6 of a release: from whatever the holder left to an idle tree; the marker stays. Throws when work could not be kept.
[[nodiscard]] core::done::Idle recycle_tree(const JobContext& job, const std::string& git_id, const core::Lease& lease,
                                            core::Dirty dirty, const std::string& trash_id, const disk::SlotLock& lock);

}  // namespace wtpool::jobs
