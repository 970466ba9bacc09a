// What `.worktreeinclude` in the source's own working tree names, brought into a fresh slot.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// The slot's tree stands at its commit. Files that the commit does not ignore are remembered as having been there: they are
// not the holder's. A warning names what did not fit into the pool's `include`.
[[nodiscard]] std::vector<std::string> bring_included(const JobContext& job, const std::string& git_id,
                                                      const disk::SlotLock& lock);

}  // namespace wtpool::jobs
