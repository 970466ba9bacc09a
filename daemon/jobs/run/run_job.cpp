#include "daemon/jobs/run/run_job.hpp"

#include <exception>

#include "common/base/timed.hpp"
#include "daemon/git/source/fetch.hpp"
#include "daemon/git/source/tend.hpp"
#include "daemon/jobs/doctor/fixes.hpp"
#include "daemon/jobs/run/job_names.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/slot/fault_proof.hpp"
#include "daemon/jobs/slot/source_away.hpp"
#include "daemon/jobs/steps/cloned_slot.hpp"
#include "daemon/jobs/steps/grafts.hpp"
#include "daemon/jobs/tasks/acquire.hpp"
#include "daemon/jobs/tasks/fetch.hpp"
#include "daemon/jobs/tasks/hooks.hpp"
#include "daemon/jobs/tasks/land/land.hpp"
#include "daemon/jobs/tasks/pool.hpp"
#include "daemon/jobs/tasks/read_back.hpp"
#include "daemon/jobs/tasks/recover.hpp"
#include "daemon/jobs/tasks/recycle.hpp"
#include "daemon/jobs/tasks/release.hpp"
#include "daemon/jobs/tasks/release/end_processes.hpp"
#include "daemon/jobs/tasks/remove_slot.hpp"
#include "daemon/jobs/tasks/repair.hpp"
#include "daemon/jobs/tasks/seal.hpp"
#include "daemon/jobs/tasks/status.hpp"
#include "daemon/jobs/tasks/store.hpp"
#include "daemon/jobs/tasks/template.hpp"
#include "daemon/jobs/tasks/tip.hpp"
#include "daemon/jobs/tasks/trash.hpp"
#include "daemon/jobs/trash/trash_id.hpp"

namespace wtpool::jobs {
namespace {

// Whoever took a slot apart is told where its work went.
core::JobDone say_where(const JobContext& job, core::JobDone done) {
  if (auto* idle = std::get_if<core::done::Idle>(&done); idle != nullptr && idle->kept)
    idle->kept_at = where_kept(job, *idle->kept);
  if (auto* fresh = std::get_if<core::done::Fresh>(&done); fresh != nullptr && fresh->kept)
    fresh->kept_at = where_kept(job, *fresh->kept);
  return done;
}

struct Dispatch {
  JobContext& job;
  core::JobDone operator()(const core::job::LoadPool& s) const { return load_pool(job, s); }
  core::JobDone operator()(const core::job::Resolve& s) const { return resolve(job, s); }
  core::JobDone operator()(const core::job::Fetch& s) const { return fetch(job, s); }
  core::JobDone operator()(const core::job::TendMirror&) const {
    git::tend_mirror(job.source_git());
    return core::done::Plain{};
  }
  core::JobDone operator()(const core::job::Acquire& s) const { return acquire(job, s); }
  core::JobDone operator()(const core::job::EndProcesses& s) const {
    end_lease_processes(s.lease, s.group);
    return core::done::Plain{};
  }
  core::JobDone operator()(const core::job::Release& s) const { return release(job, s); }
  core::JobDone operator()(const core::job::DeleteRemote& s) const {
    if (const auto why = git::delete_remote_branch(job.source_git(), s.name)) {
      throw core::Error(core::ErrorKind::git_failed, *why);
    }
    return core::done::Plain{};
  }
  core::JobDone operator()(const core::job::Recycle& s) const { return recycle(job, s); }
  core::JobDone operator()(const core::job::Recover& s) const { return recover(job, s); }
  core::JobDone operator()(const core::job::RewriteMarker& s) const { return rewrite_marker(job, s); }
  core::JobDone operator()(const core::job::ReadBack& s) const { return read_back(job, s); }
  core::JobDone operator()(const core::job::Quarantine& s) const { return quarantine(job, s); }
  core::JobDone operator()(const core::job::LookAtTip& s) const { return look_at_tip(job, s); }
  core::JobDone operator()(const core::job::Advance& s) const { return advance(job, s); }
  core::JobDone operator()(const core::job::Seal& s) const { return seal(job, s); }
  core::JobDone operator()(const core::job::Repair& s) const { return say_where(job, repair(job, s)); }
  core::JobDone operator()(const core::job::RemoveSlot& s) const {
    auto done = say_where(job, remove_slot(job, s));
    end_roots(job);
    return done;
  }
  core::JobDone operator()(const core::job::RemovePool& s) const { return remove_pool(job, s); }
  core::JobDone operator()(const core::job::InitPool& s) const { return init_pool(job, s); }
  core::JobDone operator()(const core::job::Heal& s) const { return heal(job, s); }
  core::JobDone operator()(const core::job::HealLocks& s) const { return heal_locks(job, s); }
  core::JobDone operator()(const core::job::GitStatus& s) const { return git_status(job, s); }
  core::JobDone operator()(const core::job::ReadHooks& s) const { return read_hooks(job, s); }
  core::JobDone operator()(const core::job::ListTrash& s) const { return list_trash(job, s); }
  core::JobDone operator()(const core::job::RestoreTrash& s) const { return restore_trash(job, s); }
  core::JobDone operator()(const core::job::DropTrash& s) const { return drop_trash(job, s); }
  core::JobDone operator()(const core::job::StoreTask& s) const { return store_task(job, s); }
  core::JobDone operator()(const core::job::StoreFill& s) const { return store_fill(job, s); }
  core::JobDone operator()(const core::job::StoreTidy& s) const { return store_tidy(job, s); }
  core::JobDone operator()(const core::job::LookAtLanding& s) const { return look_at_landing(job, s); }
  core::JobDone operator()(const core::job::MakeLanding& s) const { return make_landing(job, s); }
  core::JobDone operator()(const core::job::MoveLanding& s) const { return move_landing(job, s); }
  core::JobDone operator()(const core::job::DropLanding& s) const { return drop_landing(job, s); }
  core::JobDone operator()(const core::job::RecoverLandings& s) const { return recover_landings(job, s); }
  core::JobDone operator()(const core::job::ExpireTrash& s) const {
    delete_unused_templates(job);
    return expire_trash(job, s);
  }
  core::JobDone operator()(const core::job::MakeTemplate& s) const { return make_template(job, s); }
  core::JobDone operator()(const core::job::ListTemplates& s) const { return list_templates(job, s); }
  core::JobDone operator()(const core::job::DropTemplate& s) const { return drop_template(job, s); }
};

bool is_of_store(const core::JobSpec& spec) {
  return std::holds_alternative<core::job::StoreTask>(spec) || std::holds_alternative<core::job::StoreFill>(spec) ||
         std::holds_alternative<core::job::StoreTidy>(spec);
}

bool needs_pool(const core::JobSpec& spec) {
  return !std::holds_alternative<core::job::LoadPool>(spec) && !std::holds_alternative<core::job::InitPool>(spec) &&
         !std::holds_alternative<core::job::ListTrash>(spec) && !std::holds_alternative<core::job::ListTemplates>(spec) &&
         !is_of_store(spec);
}

// Of a source that is gone for good nothing is left to judge by, and its slots can still be taken away.
bool needs_source(const core::JobSpec& spec) {
  return needs_pool(spec) && !std::holds_alternative<core::job::EndProcesses>(spec) &&
         !std::holds_alternative<core::job::Quarantine>(spec) && !std::holds_alternative<core::job::RemoveSlot>(spec) &&
         !std::holds_alternative<core::job::RemovePool>(spec);
}

bool reports_facts(const core::JobSpec& spec) {
  return std::holds_alternative<core::job::ReadBack>(spec) || std::holds_alternative<core::job::Heal>(spec);
}

// What failed while the source went away failed for that, whatever it took to be the reason.
core::JobFailed failure(const JobContext& job, const core::JobSpec& spec, core::JobFailed failed) {
  if (failed.fault == core::Fault::cancelled || !job.pool || !needs_source(spec)) return failed;
  if (auto away = source_away(*job.pool)) return {core::Fault::host_fault, std::move(*away), failed.halfway};
  failed.fault = proven_fault(job, failed.fault, failed.error);
  return failed;
}

// Jobs without a slot name their pool themselves.
PoolKey pool_of(const JobContext& job, const core::JobSpec& spec) {
  return std::visit(
      [&](const auto& s) {
        if constexpr (requires { PoolKey{s.pool}; }) {
          return s.pool;
        } else {
          return job.grant.pool;
        }
      },
      spec);
}

}  // namespace

core::JobOutcome run_job(JobContext& job, const core::JobSpec& spec) {
  const Timed timed("job", name_of(spec));
  try {
    if (job.grant.pool.empty()) job.grant.pool = pool_of(job, spec);
    if (needs_pool(spec)) {
      job.pool = job.pools->find(job.grant.pool);
      if (!job.pool) {
        return core::JobFailed{
            core::Fault::host_fault,
            core::Error(core::ErrorKind::pool_unavailable, "pool " + job.grant.pool.str() + " is not served any more")};
      }
    }
    // A verb of the store has a pool where it is about a slot.
    if (is_of_store(spec) && !job.grant.pool.empty()) job.pool = job.pools->find(job.grant.pool);
    if (needs_source(spec)) require_source(*job.pool);
    auto done = std::visit(Dispatch{job}, spec);
    if (reports_facts(spec)) require_source(*job.pool);
    return done;
  } catch (const FaultError& failed) {
    return failure(job, spec, {failed.fault, failed.error, failed.halfway});
  } catch (const core::Error& error) {
    return failure(job, spec, {fault_of(error), error});
  } catch (const std::exception& error) {
    return core::JobFailed{core::Fault::host_fault,
                           core::Error(core::ErrorKind::internal, std::string("internal error: ") + error.what())};
  }
}

}  // namespace wtpool::jobs
