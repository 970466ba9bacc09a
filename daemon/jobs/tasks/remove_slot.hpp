// A slot is taken away for good.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone remove_slot(JobContext& job, const core::job::RemoveSlot& spec);

}  // namespace wtpool::jobs
