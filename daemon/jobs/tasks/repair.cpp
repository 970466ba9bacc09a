// A slot out of quarantine; what stands in no other place is kept first.
#include "daemon/jobs/tasks/repair.hpp"

#include <filesystem>

#include "common/base/failpoint.hpp"
#include "common/files/files.hpp"
#include "daemon/disk/marker.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/jobs/slot/entry_repair.hpp"
#include "daemon/jobs/slot/facts.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/jobs/slot/mounts.hpp"
#include "daemon/jobs/steps/recycle_tree.hpp"
#include "daemon/jobs/steps/settle_refs.hpp"
#include "daemon/jobs/steps/take_apart.hpp"
#include "daemon/jobs/trash/trash_id.hpp"

namespace wtpool::jobs {
namespace {

// A directory whose entry names it, and whose .git file alone is missing, is made whole.
bool restore_gitfile(const JobContext& job, const core::SlotFacts& facts) {
  if (facts.directory != core::SlotFacts::Directory::no_gitfile || facts.entry != core::SlotFacts::Entry::sound) return false;
  const auto gitfile = job.pool->files.gitfile(job.grant.slot);
  if (lstat_of(gitfile)) return false;
  write_durably(gitfile, "gitdir: " + job.entry(facts.git_id).entry.string() + "\n", 0644);
  return !git::disproof_of_place(job.pool->place.source.str(), facts.git_id, job.slot_path());
}

}  // namespace

core::JobDone repair(JobContext& job, const core::job::Repair& spec) {
  const auto lock = take_slot_lock(job);
  refuse_mounts(job, core::Fault::source_fault);
  const std::string& common = job.pool->place.source.str();
  (void)restore_own_entries(*job.pool);
  auto facts = read_facts(*job.pool, job.grant.slot, git::list_entries(common));
  const auto lease = last_lease(facts);
  const bool releasing = facts.marker && facts.marker->state == core::MarkerState::releasing;
  const auto trash_id = releasing && facts.marker->trash_id ? *facts.marker->trash_id : new_trash_id(lease.id);
  const auto dirty = spec.discard ? core::Dirty::discard : core::Dirty::save;
  if (restore_gitfile(job, facts)) facts.directory = core::SlotFacts::Directory::sound;

  FAILPOINT("repair.begun");
  core::JobDone outcome;
  if (facts.entry == core::SlotFacts::Entry::sound && facts.directory == core::SlotFacts::Directory::sound) {
    // The marker goes first to `releasing`, where a kill leads on to the same end.
    core::Marker marker;
    marker.lease = lease;
    marker.lease.adopted = false;
    marker.state = core::MarkerState::releasing;
    marker.on_dirty = dirty;
    marker.trash_id = trash_id;
    if (marker.lease.name.empty()) marker.lease.name = job.grant.slot.str();
    if (facts.marker) (void)disk::MarkerFile(job.entry(facts.git_id).marker()).write(marker);
    FAILPOINT("repair.marker-written");
    const auto settled = settle_refs(job, facts.git_id, lease, trash_id, lock, Settling::again);
    auto kept = settled.kept ? std::optional(settled.trash_id) : std::nullopt;
    if (!facts.marker && !kept) kept = keep_head(job, facts.git_id, dirty, trash_id);
    FAILPOINT("repair.refs-settled");
    git::restore_private_config(job.entry(facts.git_id).entry.string(), job.entry(facts.git_id).pristine().string());
    auto idle = recycle_tree(job, facts.git_id, lease, dirty, trash_id, lock);
    if (kept && !idle.kept) idle.kept = kept;
    disk::MarkerFile(job.entry(facts.git_id).marker()).remove();
    git::lock_entry(common, facts.git_id, "wtpool " + job.pool->key.str());
    FAILPOINT("repair.marker-removed");
    outcome = std::move(idle);
  } else {
    outcome = take_apart(job, facts, lease, dirty, trash_id, lock);
  }
  FAILPOINT("repair.slot-sound");
  unlink_durably(job.pool->files.intent(job.grant.slot));
  unlink_durably(job.pool->files.quarantine(job.grant.slot));
  FAILPOINT("repair.done");
  return outcome;
}

}  // namespace wtpool::jobs
