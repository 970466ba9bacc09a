// A slot that was released becomes idle.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone recycle(JobContext& job, const core::job::Recycle& spec);

}  // namespace wtpool::jobs
