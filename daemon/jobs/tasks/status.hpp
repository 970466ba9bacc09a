// How slots are, and how the work in them stands to its target.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone git_status(JobContext& job, const core::job::GitStatus& spec);

}  // namespace wtpool::jobs
