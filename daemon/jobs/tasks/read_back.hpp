// What the slots of a pool are now, for the core and for people.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone read_back(JobContext& job, const core::job::ReadBack& spec);

}  // namespace wtpool::jobs
