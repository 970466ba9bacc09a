// A slot is made ahead, for whoever comes next.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone make_slot(JobContext& job, const core::job::MakeSlot& spec);

}  // namespace wtpool::jobs
