// The hooks of a pool and of its repository, read as data.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// Whether there may be any at the commit: one question.
[[nodiscard]] bool may_have_hooks(const JobContext& job, const Oid& commit);

core::JobDone read_hooks(JobContext& job, const core::job::ReadHooks& spec);

}  // namespace wtpool::jobs
