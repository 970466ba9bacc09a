// A job's outcome goes to the concept that asked for it.
#include "daemon/core/outcomes.hpp"

#include "daemon/core/job/grants.hpp"
#include "daemon/core/lease/acquire.hpp"
#include "daemon/core/lease/acquire_outcome.hpp"
#include "daemon/core/lease/attach.hpp"
#include "daemon/core/lease/land.hpp"
#include "daemon/core/lease/release.hpp"
#include "daemon/core/lease/renew.hpp"
#include "daemon/core/pool/load.hpp"
#include "daemon/core/request/doctor.hpp"
#include "daemon/core/request/hooks.hpp"
#include "daemon/core/request/remove.hpp"
#include "daemon/core/request/repair.hpp"
#include "daemon/core/request/report.hpp"
#include "daemon/core/request/sweep.hpp"
#include "daemon/core/request/template.hpp"
#include "daemon/core/slot/apply_facts.hpp"
#include "daemon/core/slot/seal.hpp"
#include "daemon/core/slot/upkeep.hpp"
#include "daemon/core/source/fetch.hpp"
#include "daemon/core/source/tip.hpp"
#include "daemon/core/source/upkeep.hpp"
#include "daemon/core/state/overloaded.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"
#include "daemon/core/store/requests.hpp"

namespace wtpool::core {
namespace {

std::optional<Error> error_of(const JobOutcome& outcome) {
  if (const auto* failed = std::get_if<JobFailed>(&outcome)) return failed->error;
  return std::nullopt;
}

template <class D>
const D* done_as(const JobOutcome& outcome) {
  const auto* done = std::get_if<JobDone>(&outcome);
  return done == nullptr ? nullptr : std::get_if<D>(done);
}

// A job that ended with a result of another job's shape is taken as one that failed in the daemon itself.
JobFailed failure_of(const JobOutcome& outcome) {
  if (const auto* failed = std::get_if<JobFailed>(&outcome)) return *failed;
  return {Fault::host_fault, {ErrorKind::internal, "a job ended with a result that is not its own"}};
}

template <class D, class F>
void answer_plain(Turn& t, const Job& job, const JobOutcome& outcome, F result_of) {
  if (!job.request || find_request(t, *job.request) == nullptr) return;
  if (const auto* done = done_as<D>(outcome)) {
    answer(t, *job.request, result_of(*done));
  } else {
    refuse(t, *job.request, failure_of(outcome).error);
  }
}

void load_ended(Turn& t, const Job& job, const JobOutcome& outcome) {
  const auto found = t.host.pools.find(job.pool);
  if (found == t.host.pools.end() || found->second.load != job.id) return;
  if (const auto* loaded = done_as<done::LoadedPool>(outcome)) {
    pool_loaded(t, found->second, *loaded, job.turn);
  } else {
    load_failed(t, found->second, failure_of(outcome));
  }
}

void resolve_ended(Turn& t, const Job& job, const JobOutcome& outcome) {
  Request* request = job.request ? find_request(t, *job.request) : nullptr;
  if (request == nullptr) return;
  request->jobs.erase(job.id);
  const auto* done = done_as<done::Resolved>(outcome);
  if (done != nullptr && std::holds_alternative<proto::TemplateMakeParams>(request->params))
    return template_commit_resolved(t, *request, *done);
  if (looked_for_id(t, *request, done)) return;
  if (done != nullptr) return resolved(t, *request, *done);
  if (t.host.draining) return refuse(t, request->id, say::shutting_down());
  refuse(t, request->id, failure_of(outcome).error);
}

void acquire_ended(Turn& t, const Job& job, const JobOutcome& outcome) {
  if (const auto* done = done_as<done::Acquired>(outcome)) return acquire_done(t, job, *done);
  acquire_failed(t, job, failure_of(outcome));
}

void release_ended(Turn& t, const Job& job, const JobOutcome& outcome) {
  if (const auto* done = done_as<done::Released>(outcome)) return release_done(t, job, *done);
  release_failed(t, job, failure_of(outcome));
}

void upkeep_ended(Turn& t, const Job& job, const JobOutcome& outcome) {
  if (const auto* done = std::get_if<JobDone>(&outcome)) return upkeep_done(t, job, *done);
  upkeep_failed(t, job, std::get<JobFailed>(outcome));
}

// Who asked for it goes on by what was found.
void looked(Turn& t, const Job& job, const JobOutcome& outcome) {
  Request* request = job.request ? find_request(t, *job.request) : nullptr;
  if (request == nullptr) return;
  request->jobs.erase(job.id);
  if (t.host.draining) return refuse(t, request->id, say::shutting_down());
  if (const auto error = error_of(outcome)) return refuse(t, request->id, *error);
  t.again.push_back(request->id);
}

void read_back_ended(Turn& t, const Job& job, const JobOutcome& outcome) {
  const auto found = t.host.pools.find(job.pool);
  if (found == t.host.pools.end()) return;
  Pool& pool = found->second;
  if (pool.read_back == job.id) pool.read_back.reset();
  pool.unsettled = true;
  const auto* read = done_as<done::ReadSlots>(outcome);
  if (read == nullptr) note(t, 0, "slots of pool '" + pool.key.str() + "' were not read back");
  for (const SlotFacts& facts : read == nullptr ? std::vector<SlotFacts>{} : read->slots) {
    const Slot* slot = find_slot(t, pool.key, facts.slot);
    if (slot != nullptr && slot->changed <= job.turn && !slot->job) apply_facts(t, pool, facts, false);
  }
  looked(t, job, outcome);
}

void status_ended(Turn& t, const Job& job, const JobOutcome& outcome) {
  if (!job.request) return finished_seen(t, job, outcome);
  Request* request = find_request(t, *job.request);
  if (request == nullptr) return;
  if (request->sweeping) return sweep_seen(t, *request, job, outcome);
  request->jobs.erase(job.id);
  if (const auto* read = done_as<done::StatusRead>(outcome)) {
    for (const auto& [slot, seen] : read->slots) request->git[{job.pool, slot}] = seen.info;
  } else {
    warn(t, *request, "git status of pool '" + job.pool.str() + "' could not be read: " + failure_of(outcome).error.message);
  }
  if (request->jobs.empty()) finish_list(t, *request);
}

void init_ended(Turn& t, const Job& job, const JobOutcome& outcome) {
  const auto* done = done_as<done::PoolMade>(outcome);
  if (done != nullptr) {
    Pool& pool = t.host.pools[PoolKey(done->result.pool)];
    pool.key = PoolKey(done->result.pool);
    if (!pool.ready() || pool.load) load_pool(t, pool);
  }
  Request* request = job.request ? find_request(t, *job.request) : nullptr;
  if (request == nullptr) return;
  request->jobs.erase(job.id);
  if (done == nullptr) return refuse(t, request->id, failure_of(outcome).error);
  request->made = done->result;
  if (t.host.draining) return answer(t, request->id, done->result);
  t.again.push_back(request->id);
}

}  // namespace

void job_finished(Turn& t, const event::JobFinished& event) {
  const auto found = t.host.jobs.find(event.job);
  if (found == t.host.jobs.end() || !found->second.started) return;
  give_writer_back(t, found->second);
  const Job job = found->second;
  --t.host.running[static_cast<std::size_t>(job.job_class)];
  t.host.jobs.erase(found);
  const bool reads = std::holds_alternative<job::ReadBack>(job.spec);
  for (const SlotId& id : job.slots) {
    Slot* slot = find_slot(t, job.pool, id);
    if (slot == nullptr || slot->job != job.id) continue;
    slot->job.reset();
    if (!reads) slot->changed = t.host.turn;
  }
  finish_job(t, job, event.outcome);
}

void finish_job(Turn& t, const Job& job, const JobOutcome& outcome) {
  // Of many slots, or for a request that is still to be answered.
  const bool of_many = std::holds_alternative<job::ReadBack>(job.spec) || std::holds_alternative<job::Heal>(job.spec) ||
                       std::holds_alternative<job::StoreTask>(job.spec);
  if (!of_many && !job.slots.empty() && find_slot(t, job.pool, job.slots.front()) == nullptr) return;
  const auto empty = [](const done::Plain&) { return proto::Result(proto::EmptyResult{}); };
  std::visit(
      Overloaded{
          [&](const job::LoadPool&) { load_ended(t, job, outcome); },
          [&](const job::Resolve&) { resolve_ended(t, job, outcome); },
          [&](const job::Fetch&) {
            fetch_ended(t, job, done_as<done::Fetched>(outcome) ? std::nullopt : std::optional(failure_of(outcome).error));
          },
          [&](const job::TendMirror&) { tend_ended(t, job, error_of(outcome)); },
          [&](const job::Acquire&) { acquire_ended(t, job, outcome); },
          [&](const job::EndProcesses&) {
            processes_ended(t, job,
                            std::holds_alternative<JobFailed>(outcome) ? std::optional(failure_of(outcome)) : std::nullopt);
          },
          [&](const job::DeleteRemote& spec) {
            if (const auto error = error_of(outcome))
              note(t, 2,
                   "release of '" + spec.name + "' in pool '" + spec.pool.str() + "': refs/heads/" + spec.name +
                       " was not deleted at the remote: " + error->message);
          },
          [&](const job::Release&) { release_ended(t, job, outcome); },
          [&](const job::Recycle&) { upkeep_ended(t, job, outcome); },
          [&](const job::Recover&) { upkeep_ended(t, job, outcome); },
          [&](const job::Quarantine&) { upkeep_ended(t, job, outcome); },
          [&](const job::LookAtTip&) { tip_seen(t, job, outcome); },
          [&](const job::Advance&) { advance_ended(t, job, outcome); },
          [&](const job::Seal&) { seal_ended(t, job, outcome); },
          [&](const job::RewriteMarker&) { renewed(t, job, error_of(outcome)); },
          [&](const job::ReadBack&) { read_back_ended(t, job, outcome); },
          [&](const job::Repair&) { repair_ended(t, job, outcome); },
          [&](const job::RemoveSlot&) { remove_ended(t, job, outcome); },
          [&](const job::RemovePool&) {
            const auto* removed = done_as<done::PoolRemoved>(outcome);
            const Request* request = job.request ? find_request(t, *job.request) : nullptr;
            if (removed != nullptr && request != nullptr) {
              for (const auto& warning : removed->warnings) warn(t, *request, warning);
            }
            pool_removed(t, job, error_of(outcome));
          },
          [&](const job::InitPool&) { init_ended(t, job, outcome); },
          [&](const job::Heal&) { heal_ended(t, job, outcome); },
          [&](const job::HealLocks&) { heal_ended(t, job, outcome); },
          [&](const job::GitStatus&) { status_ended(t, job, outcome); },
          [&](const job::ReadHooks&) {
            answer_plain<done::HooksRead>(
                t, job, outcome, [&](const done::HooksRead& done) { return proto::Result(hooks_result(t, job, done)); });
          },
          [&](const job::ListTrash&) {
            answer_plain<done::TrashListed>(t, job, outcome, [](const done::TrashListed& done) {
              return proto::Result(proto::TrashListResult{done.entries});
            });
          },
          [&](const job::RestoreTrash&) {
            const auto* restored = done_as<done::TrashRestored>(outcome);
            const Request* request = job.request ? find_request(t, *job.request) : nullptr;
            if (restored != nullptr && request != nullptr) {
              for (const auto& warning : restored->warnings) warn(t, *request, warning);
            }
            answer_plain<done::TrashRestored>(t, job, outcome, [](const done::TrashRestored& done) {
              return proto::Result(proto::TrashRestoreResult{done.branch});
            });
          },
          [&](const job::LookAtLanding&) { landing_looked(t, job, outcome); },
          [&](const job::MakeLanding&) { landing_made(t, job, outcome); },
          [&](const job::MoveLanding&) { landing_moved(t, job, outcome); },
          [&](const job::DropLanding& spec) {
            if (const auto error = error_of(outcome)) note(t, 2, "landing " + spec.id + " was not dropped: " + error->message);
          },
          [&](const job::RecoverLandings&) {
            if (const auto error = error_of(outcome))
              note(t, 2, "landings in the source of pool '" + job.pool.str() + "' were not looked at: " + error->message);
          },
          [&](const job::MakeTemplate&) { template_made(t, job, outcome); },
          [&](const job::ListTemplates&) {
            answer_plain<done::TemplatesListed>(t, job, outcome, [](const done::TemplatesListed& done) {
              return proto::Result(proto::TemplateListResult{done.templates});
            });
          },
          [&](const job::DropTemplate&) { answer_plain<done::Plain>(t, job, outcome, empty); },
          [&](const job::DropTrash&) { answer_plain<done::Plain>(t, job, outcome, empty); },
          [&](const job::StoreTask&) { store_task_ended(t, job, outcome); },
          [&](const job::StoreFill& spec) { store_filled(t, job, spec, outcome); },
          [&](const job::StoreTidy&) {
            if (const auto error = error_of(outcome)) note(t, 2, "the store was not tidied: " + error->message);
          },
          [&](const job::ExpireTrash&) {
            if (const auto error = error_of(outcome))
              note(t, 2, "trash of pool '" + job.pool.str() + "' was not expired: " + error->message);
          },
      },
      job.spec);
}

void job_progress(Turn& t, const event::JobProgress& event) {
  const auto found = t.host.jobs.find(event.job);
  if (found == t.host.jobs.end()) return;
  const auto say_to = [&](RequestId id) {
    const Request* request = find_request(t, id);
    if (request == nullptr) return;
    proto::Progress progress;
    progress.phase = event.phase;
    progress.percent = event.percent;
    tell(t, *request, std::move(progress));
  };
  if (const auto* fetch = std::get_if<job::Fetch>(&found->second.spec)) {
    for (const RequestId id : t.host.sources[fetch->source].line.served_by_running()) say_to(id);
    return;
  }
  if (found->second.slots.size() == 1) {
    if (const Slot* slot = find_slot(t, found->second.pool, found->second.slots.front())) {
      for (const RequestId id : slot->recycle_waits) say_to(id);
    }
  }
  if (!found->second.request) return;
  say_to(*found->second.request);
  if (const Request* request = find_request(t, *found->second.request)) {
    for (const RequestId id : request->followers) say_to(id);
  }
}

void writer_released(Turn& t, const event::WriterReleased& event) {
  const auto found = t.host.jobs.find(event.job);
  if (found == t.host.jobs.end() || !found->second.started) return;
  give_writer_back(t, found->second);
  if (found->second.slots.size() != 1 || event.git_id.empty()) return;
  if (Slot* slot = find_slot(t, found->second.pool, found->second.slots.front())) slot->git_id = event.git_id;
}

}  // namespace wtpool::core
