// As an acquire of a fresh slot, without a lease: under the marker `acquiring` of nobody, so that a kill is recovered from like
// that of an acquire, and HEAD stands on no branch. The marker goes last: then the slot is idle.
#include "daemon/jobs/tasks/make_slot.hpp"

#include <unistd.h>

#include <cerrno>

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/disk/marker.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/process/writing_rules.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/submodule/state.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "daemon/git/tree/status.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/jobs/slot/undo_steps.hpp"
#include "daemon/jobs/steps/cloned_slot.hpp"
#include "daemon/jobs/steps/fresh_entry.hpp"
#include "daemon/jobs/steps/idle_tree.hpp"
#include "daemon/jobs/steps/untracked.hpp"
#include "daemon/jobs/tasks/acquire/free_space.hpp"

namespace wtpool::jobs {
namespace {

class Making {
 public:
  Making(JobContext& job, const core::job::MakeSlot& spec) : job_(job), spec_(spec), lock_(take_slot_lock(job)) {}

  core::done::Idle run() {
    try {
      check_reserve(job_, job_.grant.slot.str());
      const Oid tip = default_commit();
      make(tip);
      return settle(tip);
    } catch (const FaultError& failed) {
      throw after_roll_back(failed);
    } catch (const core::Error& error) {
      throw after_roll_back({fault_of(error), error});
    }
  }

 private:
  [[nodiscard]] Oid default_commit() const {
    const auto tip = git::ids_of(job_.source_git(), {job_.pool->config.default_commit + "^{commit}"}).front();
    if (tip) return *tip;
    throw core::Error(core::ErrorKind::commit_unknown, "there is no commit " + job_.pool->config.default_commit);
  }

  [[nodiscard]] core::Marker nobodys(const Oid& at) const {
    core::Marker marker;
    marker.lease.id = LeaseId(random_hex(32));
    marker.lease.name = "made-ahead/" + job_.grant.slot.str();
    marker.lease.started_at = wall_now();
    marker.lease.full_sha = at;
    marker.lease.group = spec_.group;
    marker.state = core::MarkerState::acquiring;
    marker.fresh = true;
    return marker;
  }

  void make(const Oid& tip) {
    const auto from = template_for(job_, spec_.group);
    make_fresh_entry(job_, lock_, steps_, nobodys(tip), from ? from->record.commit : tip, git_id_);
    FAILPOINT("make.entry-stands");
    job_.check_stop();
    const git::Git source = job_.source_git();
    proto::Creation creation;
    if (from) (void)fill_from_template(job_, *from, git_id_, misguarded(source, *from, tip), creation);
    job_.check_stop();
    git::reset_hard(job_.slot_git(git_id_, lock_), tip);
    remember_rules(job_, git_id_, git::writing_rules(source));
    FAILPOINT("make.filled");
  }

  core::done::Idle settle(const Oid& tip) {
    const git::Git slot = job_.slot_git(git_id_, lock_);
    auto look = git::look(slot, git::Untracked::all, true);
    if (!look.changed.empty() || look.head != tip || look.branch) {
      fail(core::Fault::slot_fault, core::ErrorKind::git_failed,
           "git did not bring slot " + job_.grant.slot.str() + " to " + tip.str() + ", clean");
    }
    for (auto& file : git::files_in_unfilled(slot)) look.untracked.push_back(std::move(file));
    remember_untracked(job_, git_id_, look.untracked);
    remember_standing(job_, git_id_, tip);
    if (const Fd index = git::open_index(slot); ::fsync(index.get()) != 0)
      throw io_error("cannot sync the index of", job_.slot_path(), errno);
    FAILPOINT("make.settled");
    job_.check_stop();
    core::done::Idle idle;
    idle.at = tip;
    idle.tree = git::ids_of(slot, {tip.str() + "^{tree}"}).front().value_or(Oid{});
    idle.git_id = git_id_;
    disk::MarkerFile(job_.entry(git_id_).marker()).remove();
    FAILPOINT("make.idle");
    steps_.commit();
    return idle;
  }

  FaultError after_roll_back(FaultError failed) {
    try {
      if (!git_id_.empty()) git::remove_stale_locks(job_.entry(git_id_).entry.string());
    } catch (const core::Error& error) {
      log_warn("roll-back: " + error.message);
    }
    const auto stuck = steps_.roll_back();
    if (stuck) log_warn("roll-back in " + job_.grant.slot.str() + ": " + *stuck + "; it is recovered from");
    failed.halfway = stuck.has_value();
    return failed;
  }

  JobContext& job_;
  const core::job::MakeSlot& spec_;
  disk::SlotLock lock_;
  std::string git_id_;
  Steps steps_;
};

}  // namespace

core::JobDone make_slot(JobContext& job, const core::job::MakeSlot& spec) { return Making(job, spec).run(); }

}  // namespace wtpool::jobs
