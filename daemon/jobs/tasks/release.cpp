#include "daemon/jobs/tasks/release.hpp"

#include <algorithm>
#include <filesystem>
#include <future>

#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/files/files.hpp"
#include "common/platform/process.hpp"
#include "daemon/disk/marker.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/submodule/state.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "daemon/git/tree/status.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/slot/entry_repair.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/jobs/steps/settle_refs.hpp"
#include "daemon/jobs/steps/untracked.hpp"
#include "daemon/jobs/trash/submodules.hpp"
#include "daemon/jobs/trash/trash_id.hpp"
#include "daemon/jobs/trash/unreachable.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {
namespace {

std::string files_text(std::size_t count, const std::string& of_what) {
  return std::to_string(count) + " " + of_what + (count == 1 ? " file" : " files");
}

// What the same release does where it is not told to refuse is the pool's to say, and that may be to refuse as well.
std::string way_out(const JobContext& job, const core::Lease& lease) {
  const std::string release =
      "wtpool release " + proto::shell_word(lease.name) + " --pool " + proto::shell_word(job.pool->key.str());
  const std::string drops = " (keeps commits in the trash and drops the rest: commit first what is to stay)";
  switch (job.pool->config.on_dirty) {
    case core::Dirty::save:
      break;
    case core::Dirty::refuse:
      return release + " --discard" + drops;
    case core::Dirty::discard:
      return release + drops;
  }
  return release + " (keeps the work in the trash)";
}

void refuse_if_dirty(const JobContext& job, const core::Lease& lease, const disk::SlotLock& lock) {
  const auto& git_id = job.grant.git_id;
  prove_place(job, git_id);
  const git::Git slot = job.slot_git(git_id, lock);
  auto look = git::look(slot, git::Untracked::all, false);
  for (auto& path : git::hidden_changes(slot, job.entry(git_id).entry.string())) look.changed.push_back(std::move(path));
  const auto submodules = git::look_at_submodules(slot);
  look.untracked.insert(look.untracked.end(), submodules.files.begin(), submodules.files.end());
  std::vector<std::string> why;
  const std::size_t fresh_files = count_new_untracked(job, git_id, look.untracked);
  for (const auto& path : submodules.touched) std::erase(look.changed, path);
  if (!look.changed.empty()) why.push_back(files_text(look.changed.size(), "tracked") + " changed");
  if (!submodules.touched.empty()) {
    const auto count = submodules.touched.size();
    why.push_back(std::to_string(count) + (count == 1 ? " submodule" : " submodules") +
                  " changed: " + submodules.touched.front());
  }
  if (fresh_files > 0) why.push_back(files_text(fresh_files, "new untracked"));
  const auto tip = git::tips_now(job.source_git(&lock), {"refs/heads/" + lease.name}).front();
  const auto base = lease.branch_base.value_or(lease.full_sha);
  if ((tip && *tip != base) || (look.head && *look.head != base)) why.emplace_back("commits were made");
  if (why.empty()) return;
  std::string text = "cannot release " + lease.name + ": " + job.grant.slot.str() + " is dirty: ";
  for (std::size_t i = 0; i < why.size(); ++i) text += (i == 0 ? "" : ", ") + why[i];
  core::Error error(core::ErrorKind::dirty, text, way_out(job, lease));
  error.slot = job.grant.slot.str();
  error.name = lease.name;
  for (std::size_t i = 0; i < look.changed.size() && i < 10; ++i) error.details.push_back("  " + look.changed[i]);
  throw FaultError{core::Fault::source_fault, error};
}

// In a thread of its own, or, where none is to be had, when its end is waited for. It is copied, since what is moved into a
// thread that cannot start is gone.
template <typename Work>
auto aside_if_possible(const Work& work) {
  return std::async(std::launch::async | std::launch::deferred, work);
}

std::vector<std::string> name_processes(const JobContext& job, const core::job::Release& spec) {
  const auto found = platform::processes_with_environment_or_inside("WTPOOL_LEASE=" + spec.lease.id.str(), job.slot_path());
  std::vector<std::string> warnings;
  for (const auto& process : found) {
    if (std::find(spec.caller_pids.begin(), spec.caller_pids.end(), process.pid) != spec.caller_pids.end()) continue;
    warnings.push_back("process " + std::to_string(process.pid) + " (" + process.command + ") is still in " +
                       job.grant.slot.str());
  }
  return warnings;
}

// What cannot be looked into may hold something.
bool holds_something(const disk::path& directory) {
  std::error_code failed;
  return !std::filesystem::is_empty(directory, failed) || failed;
}

}  // namespace

// `git worktree move` by hand: the entry is that worktree's now, and taking it away would take the work's git from under it.
void refuse_if_moved(const JobContext& job, const std::string& git_id) {
  for (const auto& entry : git::list_entries(job.pool->place.source.str())) {
    if (entry.git_id != git_id || entry.worktree.empty() || real_path(entry.worktree) == job.slot_path()) continue;
    if (!lstat_of(disk::path(entry.worktree) / ".git")) continue;
    fail(core::Fault::quarantine, core::ErrorKind::quarantined,
         "slot " + job.grant.slot.str() + " was moved to " + entry.worktree + " by hand",
         "git -C " + proto::shell_word(job.pool->place.source.str()) + " worktree move " + proto::shell_word(entry.worktree) +
             " " + proto::shell_word(job.slot_path().string()));
  }
}

// The holder is told that the slot is his still, and may never ask again: a daemon that is started then must read the same.
// Once the refs have moved it only goes forward; they move all together.
void stay_held(const JobContext& job, const core::Lease& lease, std::future<void>& marked) {
  try {
    if (marked.valid()) marked.get();
    const auto& git_id = job.grant.git_id;
    const bool attached = git::read_head(job.pool->place.source.str(), git_id).branch.has_value();
    if (!attached && !git::ids_of(job.source_git(), {"refs/heads/" + lease.name}).front()) return;
    core::Marker marker;
    marker.lease = lease;
    marker.lease.keep_branch = false;
    marker.state = core::MarkerState::held;
    (void)disk::MarkerFile(job.entry(git_id).marker()).write(marker);
  } catch (const core::Error& error) {
    log_warn("the marker of " + job.grant.slot.str() + " says that it is being released, and it is held: " + error.message);
  }
}

core::JobDone release(JobContext& job, const core::job::Release& spec) {
  const auto lock = take_slot_lock(job);
  const auto& git_id = job.grant.git_id;
  const auto entry = job.entry(git_id);
  const bool entry_gone = git_id.empty() || !is_directory_no_follow(entry.entry);
  const bool directory_gone = !lstat_of(job.slot_path());
  if (!entry_gone && !directory_gone) prove_place(job, git_id);
  if (!entry_gone && directory_gone) {
    (void)restore_own_entry(*job.pool, git_id, job.grant.slot);
    refuse_if_moved(job, git_id);
  }
  if (spec.dirty == core::Dirty::refuse && !entry_gone && !directory_gone) refuse_if_dirty(job, spec.lease, lock);

  // Who is still in the slot is looked for while the disk is waited for: both take milliseconds, and neither needs the other.
  std::future<std::vector<std::string>> processes;
  if (!directory_gone) processes = aside_if_possible([&] { return name_processes(job, spec); });

  core::done::Released released;
  released.trash_id = unused_trash_id(job, spec.lease.id);
  // How the refs stand is read while the marker's bytes and name go to the disk; nothing moves before they are there.
  std::future<void> marked;
  if (!entry_gone) {
    core::Marker marker;
    marker.lease = spec.lease;
    marker.lease.adopted = false;
    marker.state = core::MarkerState::releasing;
    marker.on_dirty = spec.dirty == core::Dirty::refuse ? core::Dirty::save : spec.dirty;
    marker.trash_id = released.trash_id;
    marked = aside_if_possible([file = disk::MarkerFile(entry.marker()), marker] { (void)file.write(marker); });
  }
  const auto be_marked = [&marked] {
    if (marked.valid()) marked.get();
    FAILPOINT("release.marker-written");
  };
  SettledRefs settled;
  try {
    settled = settle_refs(job, entry_gone ? std::string{} : git_id, spec.lease, released.trash_id, lock, be_marked);
  } catch (...) {
    if (!entry_gone) stay_held(job, spec.lease, marked);
    throw;
  }
  FAILPOINT("release.refs-settled");
  if (processes.valid()) released.warnings = processes.get();
  released.warnings.insert(released.warnings.end(), settled.warnings.begin(), settled.warnings.end());
  released.moved = settled.kept;
  if (settled.kept) released.kept = settled.trash_id;
  if (directory_gone && !entry_gone) {
    if (spec.dirty != core::Dirty::discard && save_staged(job, git_id, spec.lease, released.trash_id, lock) && !released.kept)
      released.kept = released.trash_id;
    FAILPOINT("release.staged-kept");
    if (keep_submodule_repositories(*job.pool, job.grant.slot, git_id, spec.lease.name, released.trash_id) && !released.kept)
      released.kept = released.trash_id;
    git::remove_entry(job.pool->place.source.str(), git_id);
    FAILPOINT("release.entry-removed");
  }
  released.entry_gone = entry_gone || directory_gone;
  released.files_left = entry_gone && !directory_gone && holds_something(job.slot_path());
  if (released.files_left) {
    released.warnings.push_back("the worktree entry of " + job.grant.slot.str() +
                                " is gone: what is not committed is still in " + job.slot_path().string() +
                                ", and was neither saved nor deleted; look at it, then wtpool repair " + job.grant.slot.str() +
                                " --pool " + proto::shell_word(job.pool->key.str()));
  }
  return released;
}

}  // namespace wtpool::jobs
