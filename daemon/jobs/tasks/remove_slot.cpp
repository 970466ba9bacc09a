// A slot is taken away for good; what stands in no other place is kept first.
#include "daemon/jobs/tasks/remove_slot.hpp"

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "daemon/git/tree/ignored.hpp"
#include "daemon/git/tree/status.hpp"
#include "daemon/git/work/move_aside.hpp"
#include "daemon/git/work/save.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/slot/facts.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
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

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " bytes";
  if (bytes < 1024 * 1024) return std::to_string(bytes >> 10) + " KiB";
  return std::to_string(bytes >> 20) + " MiB";
}

// What git ignores goes with the slot, and is told; what may be nobody's a second time goes to the trash.
void keep_ignored(const JobContext& job, const git::Git& slot, const std::string& trash_id, bool discard,
                  core::done::Fresh& fresh) {
  constexpr std::int64_t kYoung = 24 * 3600;
  constexpr std::size_t kNamed = 5;
  const auto ignored = git::ignored_in(slot, wall_now() - kYoung);
  if (ignored.files == 0) return;
  std::string said = std::to_string(ignored.files) + (ignored.files == 1 ? " ignored file" : " ignored files") + " (" +
                     size_text(ignored.bytes) + ") of " + job.grant.slot.str();
  if (discard || ignored.precious.empty()) {
    fresh.warnings.push_back(said + " went with it");
    return;
  }
  record_trash(job, trash_id, job.grant.slot.str());
  git::move_aside(job.slot_path(), ignored.precious, job.pool->files.trash_files(trash_id));
  if (!fresh.kept) fresh.kept = trash_id;
  said += " went with it, but for what may be nobody's a second time, kept as " + trash_id + ":";
  for (std::size_t i = 0; i < ignored.precious.size() && i < kNamed; ++i) said += " " + printable(ignored.precious[i]);
  if (ignored.precious.size() > kNamed) said += " and " + std::to_string(ignored.precious.size() - kNamed) + " more";
  fresh.warnings.push_back(said);
}

}  // namespace

core::JobDone remove_slot(JobContext& job, const core::job::RemoveSlot& spec) {
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
      keep_ignored(job, slot, trash_id, spec.discard, fresh);
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
