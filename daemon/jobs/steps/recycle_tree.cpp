#include "daemon/jobs/steps/recycle_tree.hpp"

#include <unistd.h>
#include <algorithm>
#include <set>
#include <utility>

#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "common/platform/process.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/source/changes.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/submodule/state.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "daemon/git/tree/clean.hpp"
#include "daemon/git/tree/reset.hpp"
#include "daemon/git/tree/status.hpp"
#include "daemon/git/work/as_saved.hpp"
#include "daemon/git/work/rebuild.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/slot/living_git.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/jobs/slot/mounts.hpp"
#include "daemon/jobs/steps/idle_tree.hpp"
#include "daemon/jobs/steps/untracked.hpp"
#include "daemon/jobs/trash/save.hpp"
#include "daemon/jobs/trash/submodules.hpp"
#include "daemon/jobs/trash/trash_id.hpp"
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
    refuse_mounts(job_, core::Fault::host_fault);
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

bool has_gitignore(const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(),
                     [](const std::string& file) { return file == ".gitignore" || file.ends_with("/.gitignore"); });
}

// A lock that somebody left on the source's config is no reason to keep the slot from the next one.
std::optional<std::string> forget_branch(const JobContext& job, const core::Lease& lease, const disk::SlotLock& lock) {
  if (lease.name.empty() || git::ids_of(job.source_git(&lock), {"refs/heads/" + lease.name}).front()) return std::nullopt;
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

// Of a holder who goes on writing or committing: as often is looked again, before his processes are waited for.
constexpr int kSettles = 6;

// One recycle, from what the holder left to an idle tree. What is saved is taken away as it was saved, and only that; whatever
// was written or committed meanwhile is looked at again, and saved like the rest.
class Recycling {
 public:
  // `saving`: whether it was at that when it threw.
  Recycling(const JobContext& job, const std::string& git_id, const core::Lease& lease, core::Dirty dirty,
            const std::string& trash_id, const disk::SlotLock& lock, bool& saving)
      : job_(job),
        git_id_(git_id),
        lease_(lease),
        dirty_(dirty),
        trash_id_(trash_id),
        lock_(lock),
        saving_(saving),
        gitdir_(job.entry(git_id).entry.string()),
        place_(job, git_id),
        slot_(job.slot_git(git_id, lock)),
        source_(job.source_git(&lock)) {}

  core::done::Idle run() {
    begin();
    for (int round = 1; !settle(round); ++round) {
      const bool others_by_now = changed_ != look_.changed;
      changed_ = look_.changed;
      if (round < kSettles) continue;
      refuse_who_goes_on();
      // A file that is dirty as soon as it is written is the same one each time; somebody who writes comes to others.
      if (others_by_now || look_.head != target_)
        fail(core::Fault::host_fault, core::ErrorKind::contended,
             job_.grant.slot.str() + " is still being written to by somebody; all of it is kept, and the slot waits for him");
      fail(core::Fault::quarantine, core::ErrorKind::git_failed,
           job_.grant.slot.str() + " is still dirty after a reset: " +
               (look_.changed.empty() ? std::string("its HEAD does not stay") : look_.changed.front()));
    }
    clean();
    return finish();
  }

 private:
  [[nodiscard]] bool discards() const { return dirty_ == core::Dirty::discard; }
  [[nodiscard]] bool cleans() const { return job_.pool->config.clean != core::Clean::none; }
  [[nodiscard]] disk::path holding() const { return job_.pool->files.meta() / ("taking-" + job_.grant.slot.str()); }
  [[nodiscard]] disk::path aside() const { return job_.pool->files.trash_files(trash_id_); }
  [[nodiscard]] std::string name() const { return lease_.name.empty() ? job_.grant.slot.str() : lease_.name; }
  void say(std::string warning) { idle_.warnings.push_back(std::move(warning)); }

  void begin() {
    refuse_mounts(job_, core::Fault::host_fault);
    refuse_living_git(job_, git_id_, core::Fault::host_fault);
    git::restore_private_config(gitdir_, job_.entry(git_id_).pristine().string());
    git::remove_stale_locks(gitdir_);
    if (git::rescue_held(holding(), aside())) record_trash(job_, trash_id_, name());
    FAILPOINT("recycle.begun");
    if (auto said = mend_index(job_, slot_)) say(std::move(*said));
    if (keep_operations(job_, git_id_, lease_, trash_id_)) idle_.kept = trash_id_;
    left_out_ = git::clear_hiding_bits(slot_, gitdir_);
  }

  // A HEAD that moved goes back to where the lease began: that is what the next caller most likely wants.
  [[nodiscard]] Oid target_from(const std::optional<Oid>& head) const {
    const Oid at = head.value_or(lease_.full_sha);
    if (at == lease_.full_sha) return at;
    const auto begun = git::ids_of(slot_, {lease_.full_sha.str() + "^{commit}"}).front();
    const bool free = begun && git::in_the_way(job_.slot_path().string(), git::paths_added(slot_, at, *begun)).empty();
    return free ? *begun : at;
  }

  // True: it stands clean at the target.
  bool settle(int round) {
    // Before the look, so that what it finds clean is known to have been clean as it stood here.
    const auto seen = git::read_head(job_.pool->place.source.str(), git_id_).oid;
    if (round == 1) target_ = target_from(seen);
    git::Stamps stamps;
    if (seen && *seen != target_) stamps = git::stamps_of(job_.slot_path(), files_between(*seen, target_));
    look_ = git::look(slot_, git::Untracked::all, true);
    if (look_.head && look_.head != seen) {
      // Somebody commits this very moment.
      if (round < kSettles) return false;
      refuse_who_goes_on();
    }
    for (const auto& path : look_.changed) stamps.erase(path);
    save(stamps);
    if (!std::exchange(cleared_, true)) {
      git::clear_operations(gitdir_);
      if (auto said = forget_branch(job_, lease_, lock_)) say(std::move(*said));
    }
    const bool moves = !look_.head || *look_.head != target_ || look_.branch;
    const bool rewrites = !rewritten_ && (git::is_sparse(gitdir_) || !left_out_.empty());
    if (look_.changed.empty() && !moves && !rewrites) {
      if (cleans() && !discards() && !stamps.empty()) {
        FAILPOINT("recycle.before-clean");
        place_.still();
        take(stamps);
        look_ = git::look(slot_, git::Untracked::all, true);
      }
      return true;
    }
    rewritten_ = true;
    if (!reset(stamps)) return false;
    look_ = git::look(slot_, git::Untracked::all, true);
    set_submodules_apart();
    return look_.changed.empty() && look_.head == target_ && !look_.branch;
  }

  [[nodiscard]] std::vector<std::string> files_between(const Oid& from, const Oid& to) const {
    std::vector<std::string> paths;
    for (const auto& change : git::changes_between(slot_, from, to)) paths.push_back(change.path);
    return paths;
  }

  void save(git::Stamps& as_saved) {
    if (const auto kept = look_.head ? keep_strangers_head(job_, lease_, *look_.head, trash_id_) : std::nullopt) {
      if (!idle_.kept) idle_.kept = kept;
    }
    saving_ = !discards();
    const auto kept = save_before_reset(job_, slot_, git_id_, lease_, look_,
                                        cleans() ? look_.untracked : std::vector<std::string>{}, target_, dirty_, trash_id_,
                                        &as_saved);
    saving_ = false;
    if (!idle_.kept) idle_.kept = kept;
    FAILPOINT("recycle.work-kept");
  }

  void take(const git::Stamps& as_saved) {
    const auto taken = git::take_saved(job_.slot_path(), as_saved, holding(), aside());
    if (taken.aside.empty()) return;
    record_trash(job_, trash_id_, name());
    say(std::to_string(taken.aside.size()) + " files of " + job_.grant.slot.str() +
        " were still being written: they are kept whole in " + aside().string());
    if (!idle_.kept) idle_.kept = trash_id_;
  }

  // False: HEAD has moved meanwhile.
  bool reset(const git::Stamps& as_saved) {
    FAILPOINT("recycle.before-reset");
    place_.still();
    git::no_longer_left_out(slot_, std::exchange(left_out_, {}));
    // Where nothing is to be saved, or where git alone knows which files it writes, it is told to overwrite.
    if (discards() || git::is_sparse(gitdir_)) {
      git::reset_hard(slot_, target_);
    } else {
      take(as_saved);
      git::remove_empty_directories(job_.slot_path(), look_.changed);  // where a file was
      git::reset_beside(slot_, target_);
      if (!move_head()) return false;
    }
    FAILPOINT("recycle.reset");
    return true;
  }

  bool move_head() {
    if (look_.head == target_ && !look_.branch &&
        git::read_head(job_.pool->place.source.str(), git_id_).oid == look_.head)
      return true;
    git::RefTransaction transaction;
    if (look_.head) {
      transaction.update("worktrees/" + git_id_ + "/HEAD", target_, *look_.head);
    } else {
      transaction.detach_head(git_id_, target_);
    }
    try {
      transaction.commit(source_);
      return true;
    } catch (const core::Error& error) {
      const auto now = git::read_head(job_.pool->place.source.str(), git_id_).oid;
      if (error.kind != core::ErrorKind::git_failed || now == look_.head) throw;
      return false;
    }
  }

  void set_submodules_apart() {
    if (look_.changed.empty() && !git::may_have_submodules(slot_)) return;
    place_.still();
    const auto said = set_submodules_aside(job_, slot_, lease_.name, trash_id_);
    if (said.empty()) return;
    idle_.warnings.insert(idle_.warnings.end(), said.begin(), said.end());
    if (!idle_.kept) idle_.kept = trash_id_;
    look_ = git::look(slot_, git::Untracked::all, true);
  }

  // While somebody is at work in the slot it is not given out: he comes to an end, or his processes do.
  void refuse_who_goes_on() const {
    const auto found =
        platform::processes_with_environment_or_inside("WTPOOL_LEASE=" + lease_.id.str(), job_.slot_path());
    if (found.empty()) return;
    fail(core::Fault::host_fault, core::ErrorKind::contended,
         job_.grant.slot.str() + " is still being written to, by process " + std::to_string(found.front().pid) + " (" +
             printable(found.front().command) + ") for one; all of it is kept, and the slot waits for it",
         "ps " + std::to_string(found.front().pid));
  }

  void clean() {
    set_submodules_apart();
    if (!cleans()) return;
    const bool ignored_too = job_.pool->config.clean == core::Clean::ignored;
    for (int round = 1;; ++round) {
      git::Stamps as_saved;
      if (!discards()) {
        saving_ = true;
        const auto kept = save_late(job_, slot_, git_id_, lease_, look_, look_.untracked, idle_.kept, trash_id_, &as_saved);
        saving_ = false;
        if (kept && idle_.kept && *kept != *idle_.kept)
          say("files of " + job_.grant.slot.str() + " that came to light late are kept as " + *kept);
        if (!idle_.kept) idle_.kept = kept;
      }
      FAILPOINT("recycle.before-clean");
      place_.still();
      take(as_saved);
      const auto spared = discards() ? git::clean(slot_, ignored_too) : git::clean_beside(slot_, ignored_too);
      look_.nested.insert(look_.nested.end(), spared.begin(), spared.end());
      FAILPOINT("recycle.cleaned");
      // A .gitignore that nobody tracked has gone, and git names now what that one covered; or somebody goes on writing.
      if (look_.untracked.empty() || (discards() && (ignored_too || !has_gitignore(look_.untracked)))) break;
      const auto nested = std::move(look_.nested);
      look_ = git::look(slot_, git::Untracked::all, true);
      look_.nested.insert(look_.nested.end(), nested.begin(), nested.end());
      if (look_.untracked.empty()) break;
      if (round == kRounds) {
        say("files of " + job_.grant.slot.str() + " came to light again and again: some stay");
        break;
      }
    }
  }

  core::done::Idle finish() {
    for (const auto& nested : std::set<std::string>(look_.nested.begin(), look_.nested.end())) {
      say("a nested repository stays in " + job_.grant.slot.str() + ": " + printable(nested));
    }
    // Nothing removes these either, and git does not tell of them.
    const auto in_place = git::files_in_unfilled(slot_);
    look_.untracked.insert(look_.untracked.end(), in_place.begin(), in_place.end());
    remember_untracked(job_, git_id_, look_.untracked);
    remember_standing(job_, git_id_, target_);
    FAILPOINT("recycle.untracked-remembered");
    idle_.at = target_;
    idle_.tree = git::ids_of(slot_, {target_.str() + "^{tree}"}).front().value_or(Oid{});
    idle_.git_id = git_id_;
    idle_.occupied = !platform::processes_inside(job_.slot_path()).empty();
    return std::move(idle_);
  }

  const JobContext& job_;
  const std::string& git_id_;
  const core::Lease& lease_;
  const core::Dirty dirty_;
  const std::string& trash_id_;
  const disk::SlotLock& lock_;
  bool& saving_;
  const std::string gitdir_;
  const Place place_;
  const git::Git slot_;
  const git::Git source_;
  std::vector<std::string> left_out_;
  git::TreeLook look_;
  std::vector<std::string> changed_;  // at the end of the round before
  Oid target_;
  bool cleared_ = false;    // what git keeps of operations half done
  bool rewritten_ = false;  // what a sparse tree, or who left files out, may have left standing
  core::done::Idle idle_;
};

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
                              const std::string& trash_id, const disk::SlotLock& lock) {
  for (int attempt = 1;; ++attempt) {
    bool saving = false;
    try {
      return Recycling(job, git_id, lease, dirty, trash_id, lock, saving).run();
    } catch (FaultError& failed) {
      if (failed.fault == core::Fault::quarantine && mend_objects(job, git_id, failed.error, lock)) continue;
      if (failed.fault == core::Fault::quarantine && saving) offer_discard(job, failed.error);
      throw;
    } catch (const core::Error& error) {
      if (error.kind == core::ErrorKind::cancelled) throw;
      // Of those that we ended ourselves, one that took too long would again, and one that printed too much too.
      const bool floods = dynamic_cast<const git::TooMuchOutput*>(&error) != nullptr;
      const bool ended_by_us = floods || error.kind == core::ErrorKind::git_timeout;
      if (attempt < kTries && was_killed(error) && !ended_by_us) {
        log_warn("recycling " + job.grant.slot.str() + " again: " + error.message);
        continue;
      }
      if (error.kind == core::ErrorKind::git_failed && mend_objects(job, git_id, error, lock)) continue;
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
