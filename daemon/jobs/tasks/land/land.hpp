// The jobs of a landing, in their order: look, make, move; drop and recover. See docs/landing.md. Each throws FaultError and
// proto::Error like any job.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone look_at_landing(JobContext& job, const core::job::LookAtLanding& spec);
core::JobDone make_landing(JobContext& job, const core::job::MakeLanding& spec);
core::JobDone move_landing(JobContext& job, const core::job::MoveLanding& spec);
core::JobDone drop_landing(JobContext& job, const core::job::DropLanding& spec);
core::JobDone recover_landings(JobContext& job, const core::job::RecoverLandings& spec);

}  // namespace wtpool::jobs
