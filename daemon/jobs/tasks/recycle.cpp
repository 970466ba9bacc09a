#include "daemon/jobs/tasks/recycle.hpp"

#include "common/base/failpoint.hpp"
#include "daemon/disk/marker.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/jobs/steps/recycle_tree.hpp"

namespace wtpool::jobs {

core::JobDone recycle(JobContext& job, const core::job::Recycle& spec) {
  const auto lock = take_slot_lock(job);
  auto idle = recycle_tree(job, job.grant.git_id, spec.lease, spec.dirty, spec.trash_id, lock, spec.caller_pids);
  FAILPOINT("recycle.before-idle");
  disk::MarkerFile(job.entry(job.grant.git_id).marker()).remove();
  FAILPOINT("recycle.idle");
  return idle;
}

}  // namespace wtpool::jobs
