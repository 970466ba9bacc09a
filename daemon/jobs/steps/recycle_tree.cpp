#include "daemon/jobs/steps/recycle_tree.hpp"

#include <unistd.h>
#include <algorithm>
#include <set>
#include <sstream>

#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "common/platform/process.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/submodule/state.hpp"
#include "daemon/git/tree/as_written.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "daemon/git/tree/clean.hpp"
#include "daemon/git/tree/status.hpp"
#include "daemon/git/work/rebuild.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/jobs/steps/idle_tree.hpp"
#include "daemon/jobs/steps/untracked.hpp"
#include "daemon/jobs/trash/save.hpp"
#include "daemon/jobs/trash/submodules.hpp"
#include "daemon/jobs/trash/unreachable.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {
namespace {

constexpr int kRounds = 64;  // of .gitignore files that covered one another, one for each directory on the way down
constexpr int kTries = 2;    // a git that was killed is tried once more; a second kill is no accident

// The slot's directory as it was proven: whatever stands at its path later is not to be written over.
class Place {
 public:
  Place(const JobContext& job, const std::string& git_id) : job_(job), git_id_(git_id), proven_(prove()) {}
  // Again, before what destroys: minutes may have passed.
  void still() const {
    if (prove() != proven_) {
      fail(core::Fault::quarantine, core::ErrorKind::quarantined,
           job_.grant.slot.str() + " is not what it was: another directory took its place",
           "wtpool repair " + job_.grant.slot.str() + " --pool " + proto::shell_word(job_.pool->key.str()));
    }
  }

 private:
  using Identity = std::pair<dev_t, ino_t>;
  [[nodiscard]] Identity prove() const {
    prove_place(job_, git_id_);
    const auto stat = lstat_of(job_.slot_path());
    return stat ? Identity{stat->st_dev, stat->st_ino} : Identity{};
  }

  const JobContext& job_;
  const std::string& git_id_;
  Identity proven_;
};

// What git names as untracked after a reset and did not before: the pattern that covered it was the holder's own and went.
std::vector<std::string> uncovered(std::vector<std::string> before, const std::vector<std::string>& now) {
  std::sort(before.begin(), before.end());
  std::vector<std::string> found;
  for (const auto& path : now) {
    if (!std::binary_search(before.begin(), before.end(), path)) found.push_back(path);
  }
  return found;
}

bool has_gitignore(const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(),
                     [](const std::string& file) { return file == ".gitignore" || file.ends_with("/.gitignore"); });
}

// A lock that somebody left on the source's config is no reason to keep the slot from the next one.
std::optional<std::string> forget_branch(const JobContext& job, const core::Lease& lease, const disk::SlotLock& lock) {
  if (lease.name.empty()) return std::nullopt;
  try {
    git::forget_branch_config(job.source_git(&lock), lease.name);
    return std::nullopt;
  } catch (const core::Error& error) {
    if (!error.git || error.git->stderr_tail.find("could not lock config file") == std::string::npos) throw;
    return "the source's config still says branch." + lease.name + ": " + error.message +
           " (wtpool doctor tells whose lock it is)";
  }
}

// Where work cannot be saved, the slot stays as it is until somebody mends that, or says that it may go.
void offer_discard(const JobContext& job, core::Error& error) {
  if (!error.hint.empty()) return;
  const std::string repair = "wtpool repair " + job.grant.slot.str();
  const std::string pool = " --pool " + proto::shell_word(job.pool->key.str());
  error.hint = repair + pool + " once that is mended, or " + repair + " --discard" + pool +
               " (drops every change that is not committed; commits are kept)";
}

}  // namespace

// A shell that waits for what is typed merely stands there; one that was given something to run has arguments.
bool runs_something(const std::string& command) {
  std::istringstream words(command);
  std::string word;
  words >> word;
  word = word.substr(word.rfind('/') + 1);
  if (word.starts_with('-')) word.erase(0, 1);
  const auto shells = {"sh", "bash", "dash", "zsh", "fish", "ksh", "mksh", "tcsh", "csh", "ash"};
  if (std::find(shells.begin(), shells.end(), word) == shells.end()) return true;
  while (words >> word) {
    if (!word.starts_with('-') || word == "-c" || (word.size() > 1 && word[1] != '-' && word.ends_with('c'))) return true;
  }
  return false;
}

namespace {

// `saving`: whether it was at that when it threw.
core::done::Idle recycle_once(const JobContext& job, const std::string& git_id, const core::Lease& lease, core::Dirty dirty,
                              const std::string& trash_id, const disk::SlotLock& lock, bool& saving,
                              const std::vector<std::int64_t>& callers) {
  const auto entry = job.entry(git_id);
  const std::string gitdir = entry.entry.string();
  const Place place(job, git_id);
  git::restore_private_config(gitdir, entry.pristine().string());
  git::remove_stale_locks(gitdir);
  FAILPOINT("recycle.begun");
  const git::Git slot = job.slot_git(git_id, lock);
  core::done::Idle idle;
  if (auto said = mend_index(job, slot)) idle.warnings.push_back(std::move(*said));
  const bool own_kept = keep_autostashes(job, git_id, lease, trash_id);
  const auto left_out = git::clear_hiding_bits(slot, gitdir);

  auto look = git::look(slot, git::Untracked::all, true);
  const auto seen = look.untracked;
  const auto clean = job.pool->config.clean;
  // A HEAD that moved goes back to where the lease began: that is what the next caller most likely wants.
  Oid target = look.head.value_or(lease.full_sha);
  if (target != lease.full_sha) {
    const auto begun = git::ids_of(slot, {lease.full_sha.str() + "^{commit}"}).front();
    if (begun && git::in_the_way(job.slot_path().string(), git::paths_added(slot, target, *begun)).empty()) target = *begun;
  }
  saving = dirty != core::Dirty::discard;
  idle.kept =
      save_before_reset(job, slot, git_id, lease, look,
                        clean == core::Clean::none ? std::vector<std::string>{} : look.untracked, target, dirty, trash_id);
  saving = false;
  if (own_kept && !idle.kept) idle.kept = trash_id;
  FAILPOINT("recycle.work-kept");
  git::clear_operations(gitdir);
  if (auto said = forget_branch(job, lease, lock)) idle.warnings.push_back(std::move(*said));

  if (!look.changed.empty() || !look.head || *look.head != target || look.branch || git::is_sparse(gitdir) ||
      !left_out.empty()) {
    FAILPOINT("recycle.before-reset");
    place.still();
    git::no_longer_left_out(slot, left_out);
    const auto edited = std::move(look.changed);
    git::reset_hard(slot, target);
    (void)git::write_again_below_attributes(slot, edited);  // by what his own attributes said, the holder's git wrote others
    FAILPOINT("recycle.reset");
    look = git::look(slot, git::Untracked::all, true);
  }
  if (!look.changed.empty() || git::may_have_submodules(slot)) {
    place.still();
    const auto said = set_submodules_aside(job, slot, lease.name, trash_id);
    if (!said.empty()) {
      idle.warnings.insert(idle.warnings.end(), said.begin(), said.end());
      if (!idle.kept) idle.kept = trash_id;
      look = git::look(slot, git::Untracked::all, true);
    }
  }
  if (!look.changed.empty()) {
    fail(core::Fault::quarantine, core::ErrorKind::git_failed,
         job.grant.slot.str() + " is still dirty after a reset: " + look.changed.front());
  }
  if (clean != core::Clean::none) {
    auto late = uncovered(seen, look.untracked);
    for (int round = 1;; ++round) {
      if (dirty != core::Dirty::discard) {
        saving = true;
        const auto kept = save_late(job, slot, git_id, lease, look, late, idle.kept, trash_id);
        saving = false;
        if (kept && idle.kept && *kept != *idle.kept)
          idle.warnings.push_back("files of " + job.grant.slot.str() + " that only its .gitignore covered are kept as " +
                                  *kept);
        if (!idle.kept) idle.kept = kept;
      }
      FAILPOINT("recycle.before-clean");
      place.still();
      const auto spared = git::clean(slot, clean == core::Clean::ignored);
      look.nested.insert(look.nested.end(), spared.begin(), spared.end());
      FAILPOINT("recycle.cleaned");
      // A .gitignore that nobody tracked has gone, and git names now what that one covered.
      const bool uncovers = clean == core::Clean::untracked && has_gitignore(look.untracked);
      look.untracked.clear();
      if (!uncovers) break;
      look = git::look(slot, git::Untracked::all, true);
      if (round == kRounds) {
        idle.warnings.push_back("too many .gitignore files of " + job.grant.slot.str() + " covered one another: some stay");
        break;
      }
      late = look.untracked;
    }
  }
  for (const auto& nested : std::set<std::string>(look.nested.begin(), look.nested.end())) {
    idle.warnings.push_back("a nested repository stays in " + job.grant.slot.str() + ": " + printable(nested));
  }
  // Nothing removes these either, and git does not tell of them.
  const auto in_place = git::files_in_unfilled(slot);
  look.untracked.insert(look.untracked.end(), in_place.begin(), in_place.end());
  remember_untracked(job, git_id, look.untracked);
  remember_standing(job, git_id, target);
  FAILPOINT("recycle.untracked-remembered");
  idle.at = target;
  idle.tree = git::ids_of(slot, {target.str() + "^{tree}"}).front().value_or(Oid{});
  idle.git_id = git_id;
  const auto inside = platform::processes_inside(job.slot_path());
  idle.stood_in = !inside.empty();
  idle.occupied = std::any_of(inside.begin(), inside.end(), [&](const auto& process) {
    const bool is_callers = std::find(callers.begin(), callers.end(), process.pid) != callers.end();
    return !is_callers && runs_something(process.command);
  });
  return idle;
}

// What the holder's git wrote and did not sync may be damaged after a power loss, and git does not write an object that has a
// file already. So it is out of the way before work is given up; each time, git names others, or none that is there.
bool mend_objects(const JobContext& job, const std::string& git_id, const core::Error& error, const disk::SlotLock& lock) {
  if (!error.git) return false;
  const auto moved = git::set_damaged_objects_aside(job.slot_git(git_id, lock), error.git->stderr_tail);
  if (moved > 0)
    log_warn(std::to_string(moved) + " damaged objects are moved aside, and " + job.grant.slot.str() +
             " is recycled again: " + error.message);
  return moved > 0;
}

}  // namespace

core::done::Idle recycle_tree(const JobContext& job, const std::string& git_id, const core::Lease& lease, core::Dirty dirty,
                              const std::string& trash_id, const disk::SlotLock& lock,
                              const std::vector<std::int64_t>& callers) {
  for (int attempt = 1;; ++attempt) {
    bool saving = false;
    try {
      return recycle_once(job, git_id, lease, dirty, trash_id, lock, saving, callers);
    } catch (FaultError& failed) {
      if (failed.fault == core::Fault::quarantine && mend_objects(job, git_id, failed.error, lock)) continue;
      if (failed.fault == core::Fault::quarantine && saving) offer_discard(job, failed.error);
      throw;
    } catch (const core::Error& error) {
      if (error.kind == core::ErrorKind::cancelled) throw;
      // Of those that we ended ourselves, one that took too long would again, and one that printed too much too.
      const bool floods = dynamic_cast<const git::TooMuchOutput*>(&error) != nullptr;
      const bool ended_by_us = floods || error.kind == core::ErrorKind::git_timeout;
      if (error.kind == core::ErrorKind::git_failed && mend_objects(job, git_id, error, lock)) continue;
      const bool may_pass = was_killed(error) || (error.kind == core::ErrorKind::git_failed && error.git);
      if (attempt < kTries && may_pass && !ended_by_us) {
        log_warn("recycling " + job.grant.slot.str() + " again: " + error.message);
        continue;
      }
      core::Error kept = error;
      kept.message = "cannot recycle " + job.grant.slot.str() + ": " + error.message;
      if (error.kind == core::ErrorKind::permission_denied || error.message.find("Permission denied") != std::string::npos)
        kept.message +=
            " (files of another user? chown -R " + std::to_string(::geteuid()) + " " + job.slot_path().string() + ")";
      const auto fault = floods ? core::Fault::quarantine : fault_in_upkeep(error);
      if (fault == core::Fault::quarantine && saving) offer_discard(job, kept);
      throw FaultError{fault, kept};
    }
  }
}

}  // namespace wtpool::jobs
