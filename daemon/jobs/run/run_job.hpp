// Runs a job to its outcome. Each job is one function in one file of `tasks`, in the order of its steps. It owns its grant's
// slot while it runs, blocks its thread, and ends in an outcome; only FaultError and proto::Error leave it, and `run_job` turns
// both into one.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

[[nodiscard]] core::JobOutcome run_job(JobContext& job, const core::JobSpec& spec);

}  // namespace wtpool::jobs
