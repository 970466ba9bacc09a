#include "daemon/jobs/slot/locked_slot.hpp"

#include "common/files/files.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/slot/entry_repair.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {

disk::SlotLock take_slot_lock(const JobContext& job) {
  auto lock = disk::SlotLock::try_take(job.pool->files, job.grant.slot);
  if (!lock) {
    fail(core::Fault::slot_busy, core::ErrorKind::contended,
         job.grant.slot.str() + " is being worked on by another process (its lock " +
             job.pool->files.slot_lock(job.grant.slot).string() + " is held)",
         "wtpool unstick --slot " + job.grant.slot.str() + " --pool " + proto::shell_word(job.pool->key.str()));
  }
  return std::move(*lock);
}

void prove_place(const JobContext& job, const std::string& git_id) {
  const auto disproof = [&] {
    return git_id.empty() ? std::optional<std::string>("it has no worktree entry")
                          : git::disproof_of_place(job.pool->place.source.str(), git_id, job.slot_path());
  };
  auto why = disproof();
  if (why && restore_own_entry(*job.pool, git_id, job.grant.slot)) why = disproof();
  if (why) {
    fail(core::Fault::quarantine, core::ErrorKind::quarantined, job.grant.slot.str() + " is not what it was: " + *why,
         "wtpool repair " + job.grant.slot.str() + " --pool " + proto::shell_word(job.pool->key.str()));
  }
}

void prove_idle(const JobContext& job, const std::string& git_id) {
  prove_place(job, git_id);
  if (lstat_of(job.entry(git_id).marker())) {
    fail(core::Fault::quarantine, core::ErrorKind::quarantined,
         job.grant.slot.str() + " was idle, and a marker appeared in it");
  }
}

}  // namespace wtpool::jobs
