// A pool is loaded, made and removed; what is written down of its slots.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone load_pool(JobContext& job, const core::job::LoadPool& spec);
core::JobDone init_pool(JobContext& job, const core::job::InitPool& spec);
core::JobDone remove_pool(JobContext& job, const core::job::RemovePool& spec);
core::JobDone rewrite_marker(JobContext& job, const core::job::RewriteMarker& spec);
core::JobDone quarantine(JobContext& job, const core::job::Quarantine& spec);

}  // namespace wtpool::jobs
