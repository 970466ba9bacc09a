// An idle slot is sealed.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone seal(JobContext& job, const core::job::Seal& spec);

}  // namespace wtpool::jobs
