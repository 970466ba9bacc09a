#include "daemon/jobs/tasks/fetch.hpp"

#include "daemon/jobs/slot/entry_repair.hpp"
#include "daemon/jobs/tasks/trash.hpp"

namespace wtpool::jobs {

core::JobDone resolve(JobContext& job, const core::job::Resolve& spec) {
  auto resolved = git::resolve(job.source_git(), spec.commit, spec.name);
  if (!resolved.commit && spec.last_try) resolved.tracking_name = git::tracking_name_of(job.source_git(), spec.commit);
  if (spec.resume && !resolved.branch_tip && !resolved.origin_tip) resolved.kept_as = newest_kept_of(job, spec.name);
  return resolved;
}

core::JobDone fetch(JobContext& job, const core::job::Fetch& spec) {
  (void)restore_own_entries(*job.pool);
  core::done::Fetched fetched;
  fetched.nothing_to_fetch = !git::fetch(job.source_git(), spec.wanted);
  return fetched;
}

}  // namespace wtpool::jobs
