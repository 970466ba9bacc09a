// The target moves by one compare-and-swap. What can fail has failed before it; what comes after it can be repeated.
#include <algorithm>

#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/disk/marker.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/source/push.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/work/move_aside.hpp"
#include "daemon/git/work/save.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/jobs/steps/untracked.hpp"
#include "daemon/jobs/tasks/land/land.hpp"
#include "daemon/jobs/tasks/land/steps.hpp"
#include "daemon/jobs/trash/trash_id.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {
namespace {

class LandingMove {
 public:
  LandingMove(JobContext& job, const core::job::MoveLanding& spec)
      : job_(job), spec_(spec), landing_(spec.landing), slot_lock_(take_slot_lock(job)) {}

  core::JobDone run() {
    const TargetStand stand = stand_of(job_, landing_.target);
    if (stand.base != spec_.base) return lost(landing_.target + " was moved by somebody else");
    moved_.before = stand.local && !landing_.push ? *stand.local : stand.base;
    moved_.after = spec_.candidate;
    auto lock = disk::FileLock::try_take(disk::land_lock(job_.pool->place.source, landing_.id));
    if (!lock) fail(core::Fault::source_fault, core::ErrorKind::contended, "another process lands " + landing_.id);
    inherited_ = {lock->descriptor(), slot_lock_.descriptor()};
    const bool local = stand.local && may_move_local(*stand.local);
    record_.before = local ? *stand.local : moved_.before;
    job_.check_stop();
    move_ignored_files_away();
    FAILPOINT("land.ignored-moved");
    look_at_slot();
    write_record();
    FAILPOINT("land.advancing");
    if (landing_.push) {
      if (const auto why = push_candidate()) {
        disk::remove_land_record(job_.pool->place.source, landing_.id);
        return lost(*why);
      }
      moved_.pushed = true;
      FAILPOINT("land.pushed");
    }
    if (const auto why = local ? move_target(*stand.local) : std::nullopt) {
      if (!moved_.pushed) {
        disk::remove_land_record(job_.pool->place.source, landing_.id);
        return lost(*why);
      }
      moved_.warnings.push_back("the branch " + landing_.target + " of the source stays behind what was pushed: " + *why);
      record_.checkouts.clear();
    }
    if (!local) unpin();
    FAILPOINT("land.target-moved");
    follow_checkouts(stand.local.value_or(moved_.before));
    FAILPOINT("land.checkouts-followed");
    follow_slot();
    FAILPOINT("land.slot-followed");
    if (all_followed_) disk::remove_land_record(job_.pool->place.source, landing_.id);
    FAILPOINT("land.record-removed");
    log_info("landed " + landing_.lease.name + " on " + landing_.target + " of " + job_.pool->place.source.str() + ": " +
             moved_.before.str() + " -> " + moved_.after.str());
    return moved_;
  }

 private:
  core::done::LandingLost lost(const std::string& why) const {
    return {core::Error(core::ErrorKind::blocked, "cannot land " + landing_.lease.name + " on " + landing_.target + ": " + why,
                        "wtpool land")};
  }

  [[noreturn]] void blocked(const std::string& why, const std::string& hint, const std::vector<std::string>& paths = {}) const {
    core::Error error(core::ErrorKind::blocked, "cannot land " + landing_.lease.name + " on " + landing_.target + ": " + why,
                      hint);
    for (const std::string& path : paths) error.details.push_back("  " + printable(path));
    throw FaultError{core::Fault::source_fault, error};
  }

  // Who pushes lands at the remote: what stands in the way of the local branch then is told, and stops nothing.
  bool may_move_local(const Oid& before) {
    if (!landing_.push) {
      look_at_checkouts(before);
      return true;
    }
    try {
      look_at_checkouts(before);
      return true;
    } catch (const FaultError& error) {
      moved_.warnings.push_back("the branch " + landing_.target + " of the source stays behind: " + error.error.message);
      record_.checkouts.clear();
      ignored_.clear();
      return false;
    }
  }

  std::optional<std::string> push_candidate() const {
    const auto until = job_.deadline;
    job_.deadline = std::min(job_.deadline, std::chrono::steady_clock::now() + job_.pool->config.fetch_timeout);
    const auto why = git::push(job_.source_git(&slot_lock_), moved_.after, landing_.target);
    job_.deadline = until;
    if (why) return "the remote did not take it: " + *why;
    return std::nullopt;
  }

  void unpin() const {
    const git::Git source = job_.source_git(&slot_lock_);
    const auto pinned = git::ids_of(source, {land_pin(landing_.id)})[0];
    if (!pinned) return;
    git::RefTransaction drop;
    drop.remove(land_pin(landing_.id), *pinned);
    drop.commit(source);
  }

  void look_at_checkouts(const Oid& before) {
    const core::PoolPlace& place = job_.pool->place;
    for (const auto& checkout : git::checkouts_of(place.source.str(), place.worktree, landing_.target)) {
      if (!checkout.git_id.empty() && lstat_of(job_.entry(checkout.git_id).marker())) {
        blocked("the slot " + printable(checkout.work_tree) + ", which is held, has it checked out",
                "git -C " + proto::shell_word(checkout.work_tree) + " status");
      }
      const disk::LandRecord::Checkout one{checkout.git_dir, checkout.work_tree};
      const auto may = git::may_follow(checkout_git(job_, one, inherited_), landing_.target, before, moved_.after);
      if (!may.blocked.empty()) {
        blocked(may.blocked,
                is_directory_no_follow(checkout.work_tree)
                    ? "git -C " + proto::shell_word(checkout.work_tree) + " status"
                    : "git -C " + proto::shell_word(place.source.str()) + " worktree list",
                may.in_the_way);
      }
      record_.checkouts.push_back(one);
      ignored_.push_back(may.ignored);
    }
  }

  void move_ignored_files_away() {
    for (std::size_t i = 0; i < ignored_.size(); ++i) {
      if (ignored_[i].empty()) continue;
      const std::string id = unused_trash_id(job_, landing_.lease.id);
      record_trash(job_, id, landing_.lease.name);
      git::move_aside(record_.checkouts[i].work_tree, ignored_[i], job_.pool->files.trash_files(id));
      moved_.warnings.push_back(std::to_string(ignored_[i].size()) + " ignored files of " + record_.checkouts[i].work_tree +
                                " were in the way and are kept: wtpool trash ls (" + id + ")");
    }
  }

  // Whether the slot may follow: nothing in it is lost, and it has not moved since it was looked at.
  void look_at_slot() {
    const auto head = git::read_head(job_.pool->place.source.str(), job_.grant.git_id);
    if (git::disproof_of_place(job_.pool->place.source.str(), job_.grant.git_id, job_.slot_path())) return;
    const git::Git slot = job_.slot_git(job_.grant.git_id, slot_lock_);
    moved_.clean = head.oid == landing_.tip && why_dirty(job_, slot, job_.grant.slot, job_.grant.git_id).empty();
    if (!moved_.clean || !landing_.follows || head.branch != landing_.lease.name) return;
    if (landing_.tip == moved_.after) {
      moved_.followed = landing_.lease.name;
      return;
    }
    const auto may = git::may_follow(slot, landing_.lease.name, landing_.tip, moved_.after);
    slot_follows_ = may.blocked.empty() && may.ignored.empty();
  }

  void write_record() {
    record_.id = landing_.id;
    record_.state = disk::LandRecord::State::advancing;
    record_.name = landing_.lease.name;
    record_.target = landing_.target;
    record_.after = moved_.after;
    if (slot_follows_) {
      record_.slot = job_.grant.slot.str();
      record_.git_id = job_.grant.git_id;
      record_.tip = landing_.tip;
    }
    disk::write_land_record(job_.pool->place.source, record_);
  }

  // Nothing: it has moved.
  std::optional<std::string> move_target(const Oid& before) const {
    const git::Git source = job_.source_git(&slot_lock_);
    std::vector<RefMove> moves = {{branch_ref(landing_.target), moved_.after, before}};
    if (const auto pinned = git::ids_of(source, {land_pin(landing_.id)})[0])
      moves.push_back({land_pin(landing_.id), {}, *pinned});
    std::string why;
    if (move_refs(source, moves, "wtpool: land " + landing_.lease.name, why)) return std::nullopt;
    if (git::ids_of(source, {branch_ref(landing_.target)})[0] != before) return landing_.target + " was moved by somebody else";
    blocked("git did not move it: " + why, "wtpool doctor");
  }

  void follow_checkouts(const Oid& before) {
    for (const auto& checkout : record_.checkouts) {
      const bool synced = bring(checkout_git(job_, checkout, inherited_), before);
      moved_.checkouts.push_back({checkout.work_tree, synced});
    }
  }

  // Somebody may have changed a file since it was looked at: then what can follow does, path by path.
  bool bring(const git::Git& checkout, const Oid& before) {
    try {
      try {
        git::follow(checkout, before, moved_.after);
      } catch (const core::Error& error) {
        if (error.kind != core::ErrorKind::git_failed) throw;
        git::catch_up(checkout, before, moved_.after);
      }
      return true;
    } catch (const core::Error& error) {
      all_followed_ = false;
      moved_.warnings.push_back(checkout.place().work_tree + " does not stand at the new commit yet: " + error.message);
      return false;
    }
  }

  void follow_slot() {
    if (!slot_follows_) return;
    const git::Git source = job_.source_git(&slot_lock_);
    std::string why;
    std::vector<RefMove> moves = {{branch_ref(landing_.lease.name), moved_.after, landing_.tip}};
    if (landing_.style == proto::LandStyle::squash || landing_.style == proto::LandStyle::rebase) {
      const std::string id = unused_trash_id(job_, landing_.lease.id);
      record_trash(job_, id, landing_.lease.name);
      const std::string nothing(moved_.after.str().size(), '0');
      moves.push_back({git::trash_ref(id, "heads/" + landing_.lease.name), landing_.tip, Oid(nothing)});
    }
    if (!move_refs(source, moves, "wtpool: landed on " + landing_.target, why)) {
      moved_.warnings.push_back("the slot's branch stays where it is: " + why);
      return;
    }
    FAILPOINT("land.slot-branch-moved");
    if (bring(job_.slot_git(job_.grant.git_id, slot_lock_), landing_.tip)) moved_.followed = landing_.lease.name;
  }

  JobContext& job_;
  const core::job::MoveLanding& spec_;
  const core::job::Landing& landing_;
  disk::SlotLock slot_lock_;
  std::vector<int> inherited_;
  disk::LandRecord record_;
  std::vector<std::vector<std::string>> ignored_;  // by checkout
  bool slot_follows_ = false;
  bool all_followed_ = true;
  core::done::LandingMoved moved_;
};

}  // namespace

core::JobDone move_landing(JobContext& job, const core::job::MoveLanding& spec) { return LandingMove(job, spec).run(); }

}  // namespace wtpool::jobs
