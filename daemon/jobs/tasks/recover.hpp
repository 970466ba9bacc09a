// What an operation that was cut off left in a slot is brought to an end.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone recover(JobContext& job, const core::job::Recover& spec);

}  // namespace wtpool::jobs
