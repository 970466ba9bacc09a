// Commits asked for at the source, and at its remote.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone resolve(JobContext& job, const core::job::Resolve& spec);
core::JobDone fetch(JobContext& job, const core::job::Fetch& spec);

}  // namespace wtpool::jobs
