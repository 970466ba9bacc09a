#include "daemon/jobs/steps/slot_directory.hpp"

#include <sys/stat.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/files/files.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/steps/cloned_slot.hpp"
#include "daemon/jobs/trash/submodules.hpp"
#include "daemon/jobs/trash/trash_id.hpp"
#include "daemon/jobs/trash/unreachable.hpp"

namespace wtpool::jobs {

bool refuse_ghost(const JobContext& job) {
  const auto slot = job.slot_path();
  const auto stat = lstat_of(slot);
  if (!stat) return false;
  std::error_code ignored;
  if (!S_ISDIR(stat->st_mode) || !std::filesystem::is_empty(slot, ignored) || ignored) {
    fail(core::Fault::quarantine, core::ErrorKind::quarantined,
         "cannot make " + job.grant.slot.str() + ": something that is not a worktree of this pool stands at " + slot.string());
  }
  return true;
}

bool may_be_cut_off(const JobContext& job, const git::Entry& entry) {
  // A marker is written when all of the entry is durable: one in which a marker stands is somebody's, whatever became of it.
  return entry.state == core::SlotFacts::Entry::torn && !lstat_of(job.entry(entry.git_id).marker());
}

void move_torn_entry_aside(const JobContext& job) {
  const std::string& common = job.pool->place.source.str();
  for (const auto& entry : git::list_entries(common)) {
    if (may_be_cut_off(job, entry) && (entry.worktree.empty() || disk::path(entry.worktree) == job.slot_path()) &&
        entry.git_id == job.grant.slot.str()) {
      const auto trash_id = new_trash_id(LeaseId(random_hex(32)));
      (void)keep_lone_head(job, entry.git_id, trash_id);
      (void)keep_submodule_repositories(*job.pool, job.grant.slot, entry.git_id, {}, trash_id);
      (void)git::move_entry_aside(common, entry.git_id);
    }
  }
}

void remove_new_entries(const JobContext& job, const std::vector<std::string>& before) {
  const std::string& common = job.pool->place.source.str();
  for (const auto& entry : git::list_entries(common)) {
    if (std::find(before.begin(), before.end(), entry.git_id) != before.end()) continue;
    // git names an entry after its directory; another's, that is being made this moment, is not called so.
    const bool nameless =
        entry.worktree.empty() && entry.git_id.starts_with(job.grant.slot.str()) && may_be_cut_off(job, entry);
    if (nameless || real_path(entry.worktree) == real_path(job.slot_path())) git::remove_entry(common, entry.git_id);
  }
}

disk::path set_directory_aside(const JobContext& job) {
  const auto& files = job.pool->files;
  const auto doomed = files.meta() / (std::string(kRemoving) + job.grant.slot.str());
  if (lstat_of(doomed)) remove_slot_directory(doomed);
  if (::rename(job.slot_path().c_str(), doomed.c_str()) != 0) throw io_error("cannot remove", job.slot_path(), errno);
  sync_directory(files.root);
  return doomed;
}

void take_directory_back(const JobContext& job, bool was_there) {
  const auto stat = lstat_of(job.slot_path());
  if (!stat) return;
  const auto doomed = set_directory_aside(job);
  FAILPOINT("fresh.directory-aside");
  if (was_there && ::mkdir(job.slot_path().c_str(), stat->st_mode & 07777) != 0)
    throw io_error("cannot put back", job.slot_path(), errno);
  remove_slot_directory(doomed);
}

}  // namespace wtpool::jobs
