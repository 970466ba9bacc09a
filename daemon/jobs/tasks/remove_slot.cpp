// A slot is taken away for good; what stands in no other place is kept first.
#include "daemon/jobs/tasks/remove_slot.hpp"

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "daemon/git/tree/status.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/slot/facts.hpp"
#include "daemon/jobs/slot/living_git.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/jobs/slot/mounts.hpp"
#include "daemon/jobs/steps/idle_tree.hpp"
#include "daemon/jobs/steps/slot_directory.hpp"
#include "daemon/jobs/steps/take_apart.hpp"
#include "daemon/jobs/trash/save.hpp"
#include "daemon/jobs/trash/submodules.hpp"
#include "daemon/jobs/trash/trash_id.hpp"
#include "daemon/jobs/trash/unreachable.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {
namespace {

// What somebody who is still in the slot wrote or committed between the save and the rename: nobody comes to its path any more.
std::optional<std::string> save_what_came_late(const JobContext& job, const git::Git& slot, const std::string& git_id,
                                               const core::Lease& nobody, const disk::path& doomed,
                                               const git::Stamps& as_saved, const std::string& trash_id) {
  const git::Git there = slot.with_place({slot.place().git_dir, doomed.string(), slot.place().source});
  const auto look = git::look(there, git::Untracked::all, true);
  std::vector<std::string> files = look.changed;
  files.insert(files.end(), look.untracked.begin(), look.untracked.end());
  std::optional<std::string> kept;
  if (git::stamps_of(doomed, files) != as_saved)
    kept = save_dirt(job, there, git_id, nobody, look, look.untracked, trash_id);
  if (const auto head = keep_lone_head(job, git_id, trash_id); head && !kept) kept = head;
  return kept;
}

}  // namespace

core::JobDone remove_slot(JobContext& job, const core::job::RemoveSlot&) {
  const auto& files = job.pool->files;
  const std::string& common = job.pool->place.source.str();
  core::done::Fresh fresh;
  {
    const auto lock = take_slot_lock(job);
    const auto facts = read_facts(*job.pool, job.grant.slot, git::list_entries(common));
    const auto trash_id = new_trash_id(LeaseId(random_hex(32)));
    refuse_mounts(job, core::Fault::source_fault);
    if (facts.marker) {
      fail(core::Fault::source_fault, core::ErrorKind::slot_held,
           "cannot remove " + job.grant.slot.str() + ": a marker stands in it, of lease " + facts.marker->lease.id.str(),
           "wtpool repair " + job.grant.slot.str() + " --pool " + proto::shell_word(job.pool->key.str()));
    }
    if (facts.entry == core::SlotFacts::Entry::sound && facts.directory == core::SlotFacts::Directory::sound) {
      const auto entry = job.entry(facts.git_id);
      refuse_living_git(job, facts.git_id, core::Fault::source_fault);
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
      const bool stashed = keep_operations(job, facts.git_id, nobody, trash_id);
      git::Stamps as_saved;
      fresh.kept = save_dirt(job, slot, facts.git_id, nobody, look, look.untracked, trash_id, &as_saved);
      if ((stashed || filled) && !fresh.kept) fresh.kept = trash_id;
      // Whoever was still in the slot may have committed there since it was released.
      if (const auto kept = keep_lone_head(job, facts.git_id, trash_id); kept && !fresh.kept) fresh.kept = kept;
      FAILPOINT("remove.work-kept");
      // Deleting takes as long as it takes, and may be cut off.
      const auto doomed = set_directory_aside(job);
      FAILPOINT("remove.renamed");
      if (const auto late = save_what_came_late(job, slot, facts.git_id, nobody, doomed, as_saved, trash_id); late && !fresh.kept)
        fresh.kept = late;
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
