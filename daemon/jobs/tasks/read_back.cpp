#include "daemon/jobs/tasks/read_back.hpp"

#include "daemon/git/files/entry.hpp"
#include "daemon/jobs/slot/entry_repair.hpp"
#include "daemon/jobs/slot/facts.hpp"

namespace wtpool::jobs {

core::JobDone read_back(JobContext& job, const core::job::ReadBack& spec) {
  (void)restore_own_entries(*job.pool);
  const auto entries = git::list_entries(job.pool->place.source.str());
  core::done::ReadSlots read;
  for (const auto& slot : spec.slots) read.slots.push_back(read_facts(*job.pool, slot, entries));
  return read;
}

}  // namespace wtpool::jobs
