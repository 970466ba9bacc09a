// A slot is made ready for a lease: the steps of an acquire.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone acquire(JobContext& job, const core::job::Acquire& spec);

}  // namespace wtpool::jobs
