// The end of a lease up to the durable marker `releasing`.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone release(JobContext& job, const core::job::Release& spec);

}  // namespace wtpool::jobs
