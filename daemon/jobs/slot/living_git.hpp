// A git of the last holder that goes on in the slot, such as a commit that waits in its editor. Its index.lock is no stale one,
// and what it does next is done to whoever has the slot by then.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// Throws `fault`, naming it, while a lock stands in the slot's entry and a git that may hold it lives in the slot.
void refuse_living_git(const JobContext& job, const std::string& git_id, core::Fault fault);

}  // namespace wtpool::jobs
