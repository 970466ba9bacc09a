// A slot out of quarantine, and a slot taken away. Both keep first what stands in no other place.
#include <filesystem>

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/files/files.hpp"
#include "daemon/jobs/run/tasks.hpp"
#include "daemon/jobs/slot/entry_repair.hpp"
#include "daemon/jobs/steps/slot_directory.hpp"
#include "daemon/jobs/trash/save.hpp"
#include "daemon/jobs/trash/submodules.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {
namespace {

// Whoever the last holder was, or nobody: then no branch is anybody's to delete, and HEAD is kept where no ref leads to it.
core::Lease last_lease(const core::SlotFacts& facts) {
  if (facts.marker) return facts.marker->lease;
  core::Lease nobody;
  nobody.id = LeaseId(random_hex(32));
  nobody.full_sha = facts.head.value_or(Oid{});
  return nobody;
}

void rename_to_trash(const JobContext& job, const std::string& trash_id) {
  record_trash(job, trash_id, job.grant.slot.str());
  const auto to = job.pool->files.trash_files(trash_id);
  make_directories(to, 0755, true);
  const auto from = job.slot_path();
  if (::rename(from.c_str(), (to / job.grant.slot.str()).c_str()) != 0) throw io_error("cannot move to the trash", from, errno);
  sync_directory(to);
  FAILPOINT("repair.directory-in-trash");
}

// A directory whose entry names it, and whose .git file alone is missing, is made whole.
bool restore_gitfile(const JobContext& job, const core::SlotFacts& facts) {
  if (facts.directory != core::SlotFacts::Directory::no_gitfile || facts.entry != core::SlotFacts::Entry::sound) return false;
  const auto gitfile = job.pool->files.gitfile(job.grant.slot);
  if (lstat_of(gitfile)) return false;
  write_durably(gitfile, "gitdir: " + job.entry(facts.git_id).entry.string() + "\n", 0644);
  return !git::disproof_of_place(job.pool->place.source.str(), facts.git_id, job.slot_path());
}

// What cannot be kept, an object of it being damaged, is given up only by who said so.
std::optional<std::string> keep_head(const JobContext& job, const std::string& git_id, core::Dirty dirty,
                                     const std::string& trash_id) {
  try {
    return keep_lone_head(job, git_id, trash_id);
  } catch (const core::Error& error) {
    const bool damaged = error.kind == core::ErrorKind::quarantined || error.kind == core::ErrorKind::git_failed;
    if (dirty != core::Dirty::discard || !damaged) throw;
    log_warn("commits of " + job.grant.slot.str() + " are given up: " + error.message);
    return std::nullopt;
  }
}

core::done::Fresh take_apart(const JobContext& job, const core::SlotFacts& facts, const core::Lease& lease, core::Dirty dirty,
                             const std::string& trash_id, const disk::SlotLock& lock) {
  const std::string& common = job.pool->place.source.str();
  const bool sound = facts.entry == core::SlotFacts::Entry::sound;
  const bool torn = facts.entry == core::SlotFacts::Entry::torn;
  core::done::Fresh fresh;
  if (sound) {
    const auto settled = settle_refs(job, facts.git_id, lease, trash_id, lock, Settling::again);
    if (settled.kept) fresh.kept = settled.trash_id;
    if (dirty != core::Dirty::discard && save_staged(job, facts.git_id, lease, trash_id, lock)) fresh.kept = trash_id;
  }
  if (sound || torn) {
    const auto kept = keep_head(job, facts.git_id, dirty, trash_id);
    if (kept && !fresh.kept) fresh.kept = kept;
    FAILPOINT("repair.head-kept");
  }
  if (lstat_of(job.slot_path())) {
    rename_to_trash(job, trash_id);
    fresh.kept = trash_id;
  }
  if (sound || torn) {
    if (keep_submodule_repositories(*job.pool, job.grant.slot, facts.git_id, lease.name, trash_id)) fresh.kept = trash_id;
  }
  if (sound) git::remove_entry(common, facts.git_id);
  if (torn && lstat_of(job.entry(facts.git_id).entry)) (void)git::move_entry_aside(common, facts.git_id);
  return fresh;
}

}  // namespace

std::optional<std::string> forget_slot(const JobContext& job, const core::SlotFacts& facts, const disk::SlotLock& lock) {
  const auto lease = last_lease(facts);
  const auto kept = take_apart(job, facts, lease, core::Dirty::save, new_trash_id(lease.id), lock).kept;
  unlink_durably(job.pool->files.quarantine(job.grant.slot));
  return kept;
}

core::JobDone repair(JobContext& job, const core::job::Repair& spec) {
  const auto lock = take_slot_lock(job);
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

core::JobDone remove_slot(JobContext& job, const core::job::RemoveSlot&) {
  const auto& files = job.pool->files;
  const std::string& common = job.pool->place.source.str();
  core::done::Fresh fresh;
  {
    const auto lock = take_slot_lock(job);
    const auto facts = read_facts(*job.pool, job.grant.slot, git::list_entries(common));
    const auto trash_id = new_trash_id(LeaseId(random_hex(32)));
    if (facts.marker) {
      fail(core::Fault::source_fault, core::ErrorKind::slot_held,
           "cannot remove " + job.grant.slot.str() + ": a marker stands in it, of lease " + facts.marker->lease.id.str(),
           "wtpool repair " + job.grant.slot.str() + " --pool " + proto::shell_word(job.pool->key.str()));
    }
    if (facts.entry == core::SlotFacts::Entry::sound && facts.directory == core::SlotFacts::Directory::sound) {
      const auto entry = job.entry(facts.git_id);
      git::restore_private_config(entry.entry.string(), entry.pristine().string());
      git::remove_stale_locks(entry.entry.string());
      const git::Git slot = job.slot_git(facts.git_id, lock);
      (void)mend_index(job, slot);
      (void)git::clear_hiding_bits(slot, entry.entry.string());
      const auto look = git::look(slot, git::Untracked::all, true);
      const bool filled = keep_submodule_trees(job, slot, look.nested, trash_id);
      core::Lease nobody;
      nobody.id = LeaseId(trash_id.substr(trash_id.rfind('-') + 1));
      nobody.full_sha = facts.head.value_or(Oid{});
      const bool stashed = keep_autostashes(job, facts.git_id, nobody, trash_id);
      fresh.kept = save_dirt(job, slot, facts.git_id, nobody, look, look.untracked, trash_id);
      if ((stashed || filled) && !fresh.kept) fresh.kept = trash_id;
      // Whoever was still in the slot may have committed there since it was released.
      if (const auto kept = keep_lone_head(job, facts.git_id, trash_id); kept && !fresh.kept) fresh.kept = kept;
      FAILPOINT("remove.work-kept");
      // Deleting takes as long as it takes, and may be cut off.
      const auto doomed = set_directory_aside(job);
      FAILPOINT("remove.renamed");
      if (keep_submodule_repositories(*job.pool, job.grant.slot, facts.git_id, {}, trash_id) && !fresh.kept)
        fresh.kept = trash_id;
      git::remove_entry(common, facts.git_id);
      FAILPOINT("remove.entry-removed");
      remove_tree(doomed);
      FAILPOINT("remove.tree-removed");
    } else {
      fresh = take_apart(job, facts, last_lease(facts), core::Dirty::save, trash_id, lock);
    }
    unlink_durably(files.quarantine(job.grant.slot));
    unlink_durably(files.intent(job.grant.slot));
    unlink_durably(files.slot_lock(job.grant.slot));
    FAILPOINT("remove.done");
  }
  return fresh;
}

}  // namespace wtpool::jobs
