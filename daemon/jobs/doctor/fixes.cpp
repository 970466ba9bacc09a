// `doctor --repair` in a pool that this process has the lock of: what examine() finds and has a remedy for. Nothing is deleted
// that is somebody's work; entries are moved aside, lost slots' work is kept. Safe to repeat.
#include "daemon/jobs/doctor/fixes.hpp"

#include <unistd.h>

#include "common/base/clock.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/core/rules/reconcile.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/process/lock_holders.hpp"
#include "daemon/git/process/stale_locks.hpp"
#include "daemon/git/source/pruning.hpp"
#include "daemon/git/tree/status.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/slot/entry_repair.hpp"
#include "daemon/jobs/slot/facts.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/jobs/steps/take_apart.hpp"
#include "daemon/jobs/trash/submodules.hpp"
#include "daemon/jobs/trash/trash_id.hpp"
#include "daemon/jobs/trash/unreachable.hpp"

namespace wtpool::jobs {
namespace {

class Healing {
 public:
  explicit Healing(JobContext& job) : job_(job), common_(job.pool->place.source.str()) {}

  // Held slots' too: what they say is known, and their holders' git fails as everybody's does.
  void pointers() {
    for (const auto& lost : restore_own_entries(*job_.pool)) {
      for (const auto& file : lost.files) did("wrote " + file + " of the worktree entry " + lost.git_id + " again");
    }
  }

  void slot(const SlotId& id) {
    job_.grant.slot = id;
    try {
      heal(read_facts(*job_.pool, id, git::list_entries(common_)));
    } catch (const FaultError& failed) {
      left(id.str(), failed.error);
    } catch (const core::Error& error) {
      if (error.kind == core::ErrorKind::cancelled) throw;
      left(id.str(), error);
    }
  }

  // Of the pool as a whole: what no slot is there for.
  void pool() {
    for (const auto& name : nameless_entries(*job_.pool, git::list_entries(common_))) move_aside(name);
    for (const auto& entry : git::list_entries(common_)) {
      const disk::path worktree(entry.worktree);
      const bool ours = !entry.worktree.empty() && real_path(worktree.parent_path()) == job_.pool->files.root &&
                        disk::parse_slot_id(worktree.filename().string());
      if (!ours || entry.state != core::SlotFacts::Entry::sound || git::is_locked(common_, entry.git_id)) continue;
      git::lock_entry(common_, entry.git_id, "wtpool " + job_.pool->key.str());
      did("locked " + worktree.filename().string() + " as a worktree");
    }
  }

  void pruning_remotes() {
    const git::Git source = job_.source_git();
    for (const auto& remote : git::remotes_that_prune_all(source)) {
      git::Command protect;
      protect.arguments = {"config", "--add", "remote." + remote + ".fetch", "^refs/wtpool/*"};
      (void)source.must(protect);
      did("a fetch of " + printable(remote) +
          " with --prune leaves refs/wtpool/* alone from now on; branches of leases it still " + "deletes");
    }
  }

  core::done::Healed take(const std::vector<SlotId>& slots) {
    const auto entries = git::list_entries(common_);
    for (const auto& id : slots) healed_.slots.push_back(read_facts(*job_.pool, id, entries));
    return std::move(healed_);
  }

 private:
  void did(const std::string& what) {
    healed_.did.push_back({"repair", "ok", "pool " + job_.pool->key.str() + ": " + what, {}});
  }
  void left(const std::string& what, const core::Error& why) {
    healed_.did.push_back({"repair", "warn", "pool " + job_.pool->key.str() + ": " + what + " is left as it is: " + why.message,
                           why.hint.empty() ? std::nullopt : std::optional(why.hint)});
  }

  void heal(const core::SlotFacts& facts) {
    if (only_entry_left(*job_.pool, facts)) return forget(facts);
    if (core::classify(facts) == core::Seen::idle) remove_locks(facts);
  }

  void forget(const core::SlotFacts& facts) {
    const auto lock = take_slot_lock(job_);
    const std::string slot = facts.slot.str();
    if (facts.entry == core::SlotFacts::Entry::torn) {
      const auto kept = keep_lone_head(job_, facts.git_id, new_trash_id(LeaseId(random_hex(32))));
      if (kept) did("kept commits of " + slot + " that no ref led to, as " + *kept);
      const auto trash_id = new_trash_id(LeaseId(random_hex(32)));
      if (keep_submodule_repositories(*job_.pool, facts.slot, facts.git_id, {}, trash_id))
        did("kept the repositories of submodules of " + slot + ", as " + trash_id);
      move_aside(facts.git_id);
      (void)::unlink((job_.slot_path() / ".git").c_str());
      (void)::rmdir(job_.slot_path().c_str());
      unlink_durably(job_.pool->files.quarantine(facts.slot));
    } else {
      const auto kept = forget_slot(job_, facts, lock);
      did("forgot " + slot + (kept ? ", what was left of its work is kept as " + *kept : ", nothing of it was left"));
    }
    healed_.freed.push_back(facts.slot);
  }

  void move_aside(const std::string& git_id) {
    const auto to = git::move_entry_aside(common_, git_id);
    did("moved the torn worktree entry " + git_id + " aside, to " + to.string());
  }

  void remove_locks(const core::SlotFacts& facts) {
    const auto entry = job_.entry(facts.git_id).entry.string();
    auto locks = git::locks_in_entry(entry);
    std::erase_if(locks, [this](const disk::path& lock) {
      const auto holders = git::holders_of(lock, common_);
      return !holders || !holders->empty();
    });
    if (locks.empty()) return;
    const auto lock = take_slot_lock(job_);
    if (lstat_of(job_.entry(facts.git_id).marker())) return;
    for (const auto& each : locks) {
      git::remove_lock(entry, each);
      did("removed " + each.string());
    }
  }

  JobContext& job_;
  std::string common_;
  core::done::Healed healed_;
};

}  // namespace

core::JobDone heal(JobContext& job, const core::job::Heal& spec) {
  Healing healing(job);
  healing.pointers();
  for (const auto& slot : spec.slots) {
    job.check_stop();
    healing.slot(slot);
  }
  healing.pool();
  healing.pruning_remotes();
  return healing.take(spec.slots);
}

core::JobDone heal_locks(JobContext& job, const core::job::HealLocks&) {
  const std::string& common = job.pool->place.source.str();
  core::done::Healed healed;
  for (bool again = true; again;) {
    const auto now = git::heal_shared_locks(common);
    for (const auto& file : now.removed) {
      healed.did.push_back({"repair", "ok", "pool " + job.pool->key.str() + ": removed " + file.string(), {}});
    }
    again = now.young;
    job.check_stop();
    if (again) ::usleep(200'000);
  }
  return healed;
}

}  // namespace wtpool::jobs
