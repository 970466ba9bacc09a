// Mounts in a slot: a job that writes, resets or deletes in the tree would go through them. Seldom: somebody bind mounts a
// cache or a data directory into his checkout, or a container runtime does.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// Throws `fault`, naming the first and how it is taken away, while anything is mounted below the slot's directory.
void refuse_mounts(const JobContext& job, core::Fault fault);

}  // namespace wtpool::jobs
