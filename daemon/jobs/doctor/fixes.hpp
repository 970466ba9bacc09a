// What `doctor --repair` does.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone heal(JobContext& job, const core::job::Heal& spec);
core::JobDone heal_locks(JobContext& job, const core::job::HealLocks& spec);

}  // namespace wtpool::jobs
