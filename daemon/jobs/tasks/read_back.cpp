#include "daemon/jobs/tasks/read_back.hpp"

#include "daemon/git/files/entry.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/tree/status.hpp"
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

core::JobDone git_status(JobContext& job, const core::job::GitStatus& spec) {
  core::done::StatusRead read;
  const auto base = git::ids_of(job.source_git(), {job.pool->config.default_commit + "^{commit}"}).front();
  for (const auto& [slot, git_id] : spec.slots) {
    job.check_stop();
    if (git_id.empty() || git::disproof_of_place(job.pool->place.source.str(), git_id, job.pool->files.slot(slot))) continue;
    const git::Git git({job.entry(git_id).entry.string(), job.pool->files.slot(slot).string(), job.pool->place.source.str()},
                       job.git_context(nullptr));
    try {
      const auto look = git::look(git, git::Untracked::all, false);
      proto::GitInfo info;
      info.dirty = static_cast<std::int64_t>(look.changed.size());
      info.untracked = static_cast<std::int64_t>(look.untracked.size());
      if (look.head && base) info.ahead = git::commits_ahead(git, look.head->str(), base->str());
      read.slots.emplace_back(slot, info);
    } catch (const core::Error& error) {
      if (error.kind == core::ErrorKind::cancelled) throw;  // a slot git cannot look at has no git column
    }
  }
  return read;
}

}  // namespace wtpool::jobs
