#include "daemon/jobs/steps/fresh_entry.hpp"

#include "common/base/failpoint.hpp"
#include "common/files/files.hpp"
#include "daemon/disk/marker.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/source/add_worktree.hpp"
#include "daemon/git/source/worktree_config.hpp"
#include "daemon/jobs/slot/entry_repair.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/jobs/slot/source_away.hpp"
#include "daemon/jobs/steps/slot_directory.hpp"

namespace wtpool::jobs {

void make_fresh_entry(JobContext& job, const disk::SlotLock& lock, Steps& steps, const core::Marker& marker, const Oid& at,
                      std::string& git_id) {
  const auto& files = job.pool->files;
  const std::string& common = job.pool->place.source.str();
  const bool existed = refuse_ghost(job);
  (void)restore_own_entries(*job.pool);
  move_torn_entry_aside(job);

  const auto intent_file = files.intent(job.grant.slot);
  steps.done("remove the intent", [intent_file] { unlink_durably(intent_file); });
  disk::Intent intent;
  intent.marker = marker;
  intent.entries = git::entry_names(common);
  intent.directory_existed = existed;
  disk::write_intent(intent_file, intent);
  FAILPOINT("acquire.intent-written");

  // The entry goes last, and with it the marker or what the intent is there for: a kill before is recovered from.
  steps.done("remove the new worktree", [&job, &git_id, common, existed, before = intent.entries] {
    take_directory_back(job, existed);
    FAILPOINT("acquire.directory-taken-back");
    if (git_id.empty()) {
      remove_new_entries(job, before);
    } else {
      git::remove_entry(common, git_id);
    }
    if (const auto away = source_away(*job.pool)) throw *away;
  });
  job.progress("creating");
  git_id = git::add_worktree(job.source_git(&lock), job.slot_path(), at, "wtpool " + job.pool->key.str());
  FAILPOINT("acquire.worktree-added");
  const auto entry = job.entry(git_id);
  prove_place(job, git_id);
  make_directories(entry.own(), 0755, true);
  if (job.pool->source.worktree_config) git::not_bare(job.source_git(&lock), entry.entry.string());
  git::keep_private_config(entry.entry.string(), entry.pristine().string());
  (void)disk::MarkerFile(entry.marker()).write(marker);
  FAILPOINT("acquire.fresh-marker-written");
  unlink_durably(intent_file);
  FAILPOINT("acquire.intent-removed");
  job.report(core::event::WriterReleased{job.grant.job, git_id});
}

}  // namespace wtpool::jobs
