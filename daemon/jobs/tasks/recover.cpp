// Back from what a daemon that is gone was doing: an intent, an acquire, a release. Each part may be killed and repeated.
#include "daemon/jobs/tasks/recover.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <functional>

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/files/fd.hpp"
#include "common/files/files.hpp"
#include "common/platform/process.hpp"
#include "daemon/core/rules/reconcile.hpp"
#include "daemon/disk/marker.hpp"
#include "daemon/git/files/checked_out.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/process/killed_gits.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/work/save.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/slot/facts.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/jobs/steps/half_checkout.hpp"
#include "daemon/jobs/steps/idle_tree.hpp"
#include "daemon/jobs/steps/recycle_tree.hpp"
#include "daemon/jobs/steps/restock.hpp"
#include "daemon/jobs/steps/settle_refs.hpp"
#include "daemon/jobs/steps/slot_directory.hpp"
#include "daemon/jobs/trash/submodules.hpp"
#include "daemon/jobs/trash/trash_id.hpp"
#include "daemon/jobs/trash/unreachable.hpp"

namespace wtpool::jobs {
namespace {

constexpr std::chrono::seconds kOrphanPatience{10};

// The last daemon's gits of this slot may have been killed with it, or are about to be: what they locked in the source is then
// nobody's. The first of them ran when the slot's lock, its intent or its marker was written; none had more than its limit.
void remember_gits(const JobContext& job, const std::string& git_id) {
  const auto& files = job.pool->files;
  std::vector<disk::path> written = {files.slot_lock(job.grant.slot), files.intent(job.grant.slot)};
  if (!git_id.empty()) written.push_back(job.entry(git_id).marker());
  std::vector<std::int64_t> moments;
  for (const auto& file : written) {
    if (const auto stat = lstat_of(file)) moments.push_back(static_cast<std::int64_t>(stat->st_mtime));
  }
  if (moments.empty()) return;
  const auto [first, last] = std::minmax_element(moments.begin(), moments.end());
  git::remember_killed(job.pool->place.source.str(), *first, std::min(wall_now(), *last + git::Command{}.limit.count()));
}

// The git of the last daemon had its time: SIGTERM, patience, SIGKILL, if it is still that very process.
void end_orphan(const JobContext& job) {
  const auto child = disk::SlotLock::recorded_child(job.pool->files, job.grant.slot);
  if (!child) return;
  for (const int signal : {SIGTERM, SIGKILL}) {
    if (!platform::alive(*child)) return;
    log_warn("ending the orphaned git " + std::to_string(child->pid) + " in " + job.grant.slot.str());
    if (signal == SIGKILL) remember_gits(job, {});
    const Fd gone = platform::watch_exit(*child);
    ::kill(static_cast<pid_t>(child->pid), signal);
    if (gone.valid()) {
      struct pollfd wait {
        gone.get(), POLLIN, 0
      };
      ::poll(&wait, 1, static_cast<int>(std::chrono::milliseconds(kOrphanPatience).count()));
    }
  }
}

// An acquire that made the slot and did not come to its end: nobody has seen the slot, so it is taken away again. What stands
// there has been proven to be the slot's.
core::done::Fresh undo_fresh(const JobContext& job, const std::string& git_id) {
  FAILPOINT("recover.undoing-fresh");
  // Git's own half-done checkout is no work. The entry, with the marker in it, goes last: a kill before leads here again.
  take_directory_back(job, false);
  FAILPOINT("recover.directory-taken-back");
  git::remove_entry(job.pool->place.source.str(), git_id);
  FAILPOINT("recover.fresh");
  return {};
}

// What a power loss left of one that git had written and nobody synced: its beginning, which may lead anywhere.
bool is_cut_gitfile(const std::string& common, const disk::path& gitfile) {
  const auto stat = lstat_of(gitfile);
  if (!stat || !S_ISREG(stat->st_mode)) return false;
  const std::string whole = "gitdir: " + common + "/worktrees/";
  const std::string text = read_file(gitfile).value_or(std::string());
  const auto left = std::string_view(text).substr(0, text.find('\0'));
  return left.starts_with(whole) || whole.starts_with(left);
}

core::done::Fresh undo_intent(const JobContext& job) {
  const auto& files = job.pool->files;
  const auto file = files.intent(job.grant.slot);
  const std::string& common = job.pool->place.source.str();
  const auto read = disk::read_intent(file);
  const auto slot = job.slot_path();
  const disk::Intent* intent = read ? std::get_if<disk::Intent>(&*read) : nullptr;
  for (const auto& entry : git::list_entries(common)) {
    if (intent && std::find(intent->entries.begin(), intent->entries.end(), entry.git_id) != intent->entries.end()) continue;
    if (entry.unread && entry.git_id.starts_with(job.grant.slot.str())) {
      fail(core::Fault::host_fault, core::ErrorKind::io_error,
           "whether the entry " + entry.git_id + " is of " + job.grant.slot.str() + " cannot be told: " + entry.problem);
    }
    const bool names_slot = !entry.worktree.empty() && real_path(entry.worktree) == real_path(slot);
    // git names an entry after its directory: another's, that is being made this moment, is not called so.
    const bool names_nothing =
        entry.worktree.empty() && entry.git_id.starts_with(job.grant.slot.str()) && may_be_cut_off(job, entry);
    if (names_slot || (names_nothing && intent)) (void)git::move_entry_aside(common, entry.git_id);
  }
  FAILPOINT("recover.entries-aside");
  if (const auto stat = lstat_of(slot); stat && S_ISDIR(stat->st_mode)) {
    // Only what `worktree add --no-checkout` makes may stand there: a .git file, whole or not, that leads into this source.
    const bool foreign = git::look_at_directory(common, slot).state == core::SlotFacts::Directory::foreign;
    if (!foreign || is_cut_gitfile(common, slot / ".git")) (void)::unlink((slot / ".git").c_str());
    FAILPOINT("recover.gitfile-removed");
    std::error_code failed;
    if (!(intent && intent->directory_existed) && !std::filesystem::remove(slot, failed)) {
      fail(core::Fault::quarantine, core::ErrorKind::quarantined,
           job.grant.slot.str() + " was being made when the daemon died, and something else stands in " + slot.string());
    }
  }
  FAILPOINT("recover.directory-removed");
  unlink_durably(file);
  FAILPOINT("recover.intent-removed");
  return {};
}

void undo_branch(const JobContext& job, const std::string& git_id, const core::Marker& marker, const disk::SlotLock& lock) {
  const auto& lease = marker.lease;
  const git::Git source = job.source_git(&lock);
  const std::string branch = "refs/heads/" + lease.name;
  const std::string old = marker.trash_id ? git::trash_ref(*marker.trash_id, "heads/" + lease.name) : "refs/wtpool/none";
  const auto ids = git::ids_of(source, {"worktrees/" + git_id + "/HEAD", branch, old});
  git::RefTransaction transaction;
  const auto attached = git::read_head(job.pool->place.source.str(), git_id).branch;
  if (attached) transaction.detach_head(git_id, ids[0].value_or(lease.full_sha));
  // Made by this acquire: none was there when the marker was written, and it has not moved since. One that is checked out
  // elsewhere, or named by another marker, is somebody's by now, whoever made it.
  const bool at_base = ids[1] && lease.branch_base && *ids[1] == *lease.branch_base;
  // What was to be replaced stands there, wherever it stands, until it is kept; and again once it was put back.
  const bool made = !marker.trash_id || ids[2];
  const bool ours = made && at_base && (!attached || *attached == lease.name) &&
                    !git::checked_out_at(job.pool->source, lease.name, git_id) && !is_given_away(job, git_id, lease);
  if (ids[2] && (!ids[1] || ours)) {
    if (ids[1])
      transaction.update(branch, *ids[2], *ids[1]);
    else
      transaction.create(branch, *ids[2]);
    transaction.remove(old, *ids[2]);
  } else if (ours) {
    transaction.remove(branch, *ids[1]);
  }
  if (!transaction.empty()) transaction.commit(source);
}

// It was removed by hand while nobody had the slot, or an acquire of an older wtpool had just made the slot. Made from HEAD;
// what stands in the tree is then told from HEAD's like a holder's, and nothing of it is taken for what a checkout wrote.
void make_index(const git::Git& slot) {
  git::Command reset;
  reset.arguments = {"reset", "-q", "--", ":(top)"};
  reset.durable = true;
  reset.may_filter = true;
  (void)slot.must(reset);
}

// The slot's directory was deleted, by hand or by the undo of the acquire that made the slot.
core::done::Fresh undo_without_directory(const JobContext& job, const core::SlotFacts& facts, const core::Lease& nobody,
                                         const disk::SlotLock& lock) {
  core::done::Fresh fresh;
  if (!facts.marker->fresh) {
    const auto trash_id = unused_trash_id(job, nobody.id);
    fresh.kept = keep_lone_head(job, facts.git_id, trash_id);
    if (save_staged(job, facts.git_id, nobody, trash_id, lock)) fresh.kept = trash_id;
    if (keep_submodule_repositories(*job.pool, job.grant.slot, facts.git_id, {}, trash_id)) fresh.kept = trash_id;
  }
  (void)undo_fresh(job, facts.git_id);
  return fresh;
}

core::JobDone undo_acquire(const JobContext& job, const core::SlotFacts& facts, const disk::SlotLock& lock) {
  const auto& marker = *facts.marker;
  const auto entry = job.entry(facts.git_id);
  git::remove_stale_locks(entry.entry.string());
  remove_staged(entry.own());
  undo_branch(job, facts.git_id, marker, lock);
  FAILPOINT("recover.branch-undone");
  core::Lease nobody;
  nobody.id = marker.lease.id;
  nobody.full_sha = marker.lease.full_sha;
  if (facts.directory == core::SlotFacts::Directory::absent) return undo_without_directory(job, facts, nobody, lock);

  prove_place(job, facts.git_id);
  const bool has_index = lstat_of(entry.entry / "index").has_value();
  if (!has_index && marker.fresh) return undo_fresh(job, facts.git_id);
  git::restore_private_config(entry.entry.string(), entry.pristine().string());
  const git::Git slot = job.slot_git(facts.git_id, lock);
  const auto trash_id = new_trash_id(marker.lease.id);
  remove_half_restocked(job.slot_path());
  has_index ? (void)mend_index(job, slot) : make_index(slot);
  bring_to_commit(job, slot, facts.git_id, nobody, trash_id);
  auto idle = recycle_tree(job, facts.git_id, nobody, core::Dirty::save, trash_id, lock);
  FAILPOINT("recover.acquire-undone");
  disk::MarkerFile(entry.marker()).remove();
  return idle;
}

core::JobDone finish_release(const JobContext& job, const core::SlotFacts& facts, const disk::SlotLock& lock) {
  const auto& marker = *facts.marker;
  const auto trash_id = marker.trash_id.value_or(unused_trash_id(job, marker.lease.id));
  git::remove_stale_locks(job.entry(facts.git_id).entry.string());
  auto settled = settle_refs(job, facts.git_id, marker.lease, trash_id, lock, Settling::again);
  FAILPOINT("recover.refs-settled");
  if (facts.directory == core::SlotFacts::Directory::absent) {
    bool staged = marker.on_dirty != core::Dirty::discard && save_staged(job, facts.git_id, marker.lease, trash_id, lock);
    staged = keep_submodule_repositories(*job.pool, job.grant.slot, facts.git_id, marker.lease.name, trash_id) || staged;
    git::remove_entry(job.pool->place.source.str(), facts.git_id);
    if (staged) return core::done::Fresh{trash_id};
    return core::done::Fresh{settled.kept ? std::optional(settled.trash_id) : std::nullopt};
  }
  auto idle = recycle_tree(job, facts.git_id, marker.lease, marker.on_dirty.value_or(core::Dirty::save), trash_id, lock);
  if (settled.kept && !idle.kept) idle.kept = settled.trash_id;
  FAILPOINT("recover.release-finished");
  disk::MarkerFile(job.entry(facts.git_id).marker()).remove();
  return idle;
}

// Everything was taken back, but for being told so: idle, once it was looked at.
core::JobDone look_again(const JobContext& job, const core::SlotFacts& facts, const core::Lease& undone,
                         const disk::SlotLock& lock) {
  core::Lease nobody;
  nobody.id = undone.id;
  nobody.full_sha = facts.head.value_or(undone.full_sha);
  return recycle_tree(job, facts.git_id, nobody, core::Dirty::save, unused_trash_id(job, nobody.id), lock);
}

core::JobDone or_whose_fault(const std::function<core::JobDone()>& work) {
  try {
    return work();
  } catch (const core::Error& error) {
    if (error.kind == core::ErrorKind::cancelled) throw;
    throw FaultError{fault_in_upkeep(error), error};
  }
}

}  // namespace

core::JobDone recover(JobContext& job, const core::job::Recover& spec) {
  if (spec.end_orphan) end_orphan(job);
  const auto lock = take_slot_lock(job);
  FAILPOINT("recover.begun");
  // Read again under the lock: what was read before may be older than the orphan's last act.
  const auto facts = read_facts(*job.pool, job.grant.slot, git::list_entries(job.pool->place.source.str()));
  if (!spec.of_own) remember_gits(job, facts.git_id);
  const bool sound_marker = facts.marker && facts.entry == core::SlotFacts::Entry::sound;
  if (facts.intent) {
    if (!sound_marker) return undo_intent(job);
    unlink_durably(job.pool->files.intent(job.grant.slot));
  }
  if (!sound_marker) {
    if (facts.entry == core::SlotFacts::Entry::absent && facts.directory == core::SlotFacts::Directory::absent)
      return core::done::Fresh{};
    const bool was_undone = spec.facts.marker && spec.facts.marker->state == core::MarkerState::acquiring && !facts.branch;
    if (was_undone && core::classify(facts) == core::Seen::idle) {
      return or_whose_fault([&] { return look_again(job, facts, spec.facts.marker->lease, lock); });
    }
    fail(core::Fault::quarantine, core::ErrorKind::quarantined,
         job.grant.slot.str() + " cannot be recovered: " + (facts.problem.empty() ? "its marker is gone" : facts.problem));
  }
  if (facts.marker->state == core::MarkerState::held) {
    fail(core::Fault::quarantine, core::ErrorKind::quarantined, job.grant.slot.str() + " is held, by its marker");
  }
  return or_whose_fault([&] {
    return facts.marker->state == core::MarkerState::acquiring ? undo_acquire(job, facts, lock)
                                                               : finish_release(job, facts, lock);
  });
}

}  // namespace wtpool::jobs
