// One function a job, one file each, in the order of its steps. Each owns its grant's slot while it runs, blocks its thread,
// and ends in an outcome; only FaultError and proto::Error leave it, and `run_job` turns both into one.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone load_pool(JobContext& job, const core::job::LoadPool& spec);
core::JobDone resolve(JobContext& job, const core::job::Resolve& spec);
core::JobDone fetch(JobContext& job, const core::job::Fetch& spec);
core::JobDone acquire(JobContext& job, const core::job::Acquire& spec);
core::JobDone release(JobContext& job, const core::job::Release& spec);
core::JobDone recycle(JobContext& job, const core::job::Recycle& spec);
core::JobDone recover(JobContext& job, const core::job::Recover& spec);
core::JobDone rewrite_marker(JobContext& job, const core::job::RewriteMarker& spec);
core::JobDone read_back(JobContext& job, const core::job::ReadBack& spec);
core::JobDone quarantine(JobContext& job, const core::job::Quarantine& spec);
core::JobDone seal(JobContext& job, const core::job::Seal& spec);
core::JobDone look_at_tip(JobContext& job, const core::job::LookAtTip& spec);
core::JobDone advance(JobContext& job, const core::job::Advance& spec);
core::JobDone repair(JobContext& job, const core::job::Repair& spec);
core::JobDone remove_slot(JobContext& job, const core::job::RemoveSlot& spec);
core::JobDone remove_pool(JobContext& job, const core::job::RemovePool& spec);
core::JobDone init_pool(JobContext& job, const core::job::InitPool& spec);
core::JobDone heal(JobContext& job, const core::job::Heal& spec);
core::JobDone heal_locks(JobContext& job, const core::job::HealLocks& spec);
core::JobDone git_status(JobContext& job, const core::job::GitStatus& spec);
core::JobDone list_trash(JobContext& job, const core::job::ListTrash& spec);
core::JobDone restore_trash(JobContext& job, const core::job::RestoreTrash& spec);
core::JobDone drop_trash(JobContext& job, const core::job::DropTrash& spec);
core::JobDone expire_trash(JobContext& job, const core::job::ExpireTrash& spec);

[[nodiscard]] core::JobOutcome run_job(JobContext& job, const core::JobSpec& spec);

}  // namespace wtpool::jobs
