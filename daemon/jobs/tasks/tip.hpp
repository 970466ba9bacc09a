// The default commit is looked at, and an idle slot is brought along.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone look_at_tip(JobContext& job, const core::job::LookAtTip& spec);
core::JobDone advance(JobContext& job, const core::job::Advance& spec);

}  // namespace wtpool::jobs
