// A slot out of quarantine.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone repair(JobContext& job, const core::job::Repair& spec);

}  // namespace wtpool::jobs
