// Slots and pools are taken away.
#include "daemon/core/request/remove.hpp"

#include "daemon/core/job/grants.hpp"
#include "daemon/core/lease/queue.hpp"
#include "daemon/core/pool/load.hpp"
#include "daemon/core/rules/locate.hpp"
#include "daemon/core/slot/upkeep.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"

namespace wtpool::core {
namespace {

// Why this slot cannot be removed now; nothing when it can.
std::optional<Error> kept_by(const Pool& pool, const Slot& slot, Now now) {
  switch (slot.phase) {
    case Phase::fresh:
    case Phase::idle:
    case Phase::quarantined:
      return std::nullopt;
    case Phase::acquiring:
    case Phase::held:
    case Phase::releasing:
      return say::slot_held(pool, slot, now);
    case Phase::making:
    case Phase::recycling:
    case Phase::recovering:
      return std::nullopt;  // waited for
    case Phase::repairing:
      return say::busy(pool, slot, "repaired");
    case Phase::removing:
      return say::busy(pool, slot, "removed");
  }
  return std::nullopt;
}

void start_removing(Turn& t, Request& request, Pool& pool, Slot& slot) {
  slot.before_removing = slot.phase;
  slot.phase = Phase::removing;
  slot.changed = t.host.turn;
  slot.retry_at.reset();
  request.jobs.insert(ask(t, JobClass::answering, job::RemoveSlot{}, pool.key, {slot.id}, request.id, true));
}

void next_of_pool(Turn& t, Request& request, Pool& pool) {
  if (!request.jobs.empty()) return;
  request.jobs.insert(ask(t, JobClass::answering, job::RemovePool{pool.key}, pool.key, {}, request.id, true));
}

}  // namespace

void begin_remove_slot(Turn& t, Request& request, Pool& pool) {
  const auto& params = std::get<proto::SlotRemoveParams>(request.params);
  Slot* const found = slot_called(pool, params.slot);
  if (found == nullptr && is_path(params.slot)) {
    return refuse(t, request.id, say::path_in_no_slot(pool, "remove", params.slot));
  }
  if (found == nullptr) return refuse(t, request.id, say::slot_unknown(pool, params.slot));
  Slot& slot = *found;
  if (auto error = kept_by(pool, slot, t.now)) return refuse(t, request.id, std::move(*error));
  if (waits_for_upkeep(request, slot)) return;
  note_change(t, request);
  request.stage = Stage::running;
  request.slot = slot.id;
  start_removing(t, request, pool, slot);
}

void begin_remove_pool(Turn& t, Request& request, Pool& pool) {
  for (const Slot* slot : slots_in_order(pool)) {
    if (auto error = kept_by(pool, *slot, t.now)) return refuse(t, request.id, std::move(*error));
  }
  for (auto& [id, slot] : pool.slots) {
    if (waits_for_upkeep(request, slot)) return;
  }
  request.stage = Stage::running;
  pool.removing = request.id;
  for (auto& [id, slot] : pool.slots) {
    if (slot.phase != Phase::fresh) start_removing(t, request, pool, slot);
  }
  next_of_pool(t, request, pool);
}

void remove_ended(Turn& t, const Job& job, const JobOutcome& outcome) {
  Pool& pool = t.host.pools.at(job.pool);
  Request* request = job.request ? find_request(t, *job.request) : nullptr;
  Slot& slot = pool.slots.at(job.slots.front());
  const auto* failed = std::get_if<JobFailed>(&outcome);
  if (failed != nullptr) {
    slot.phase = slot.before_removing;
    slot.changed = t.host.turn;
    may_be_had_again(t, pool, slot);
  } else {
    const auto* fresh = std::get_if<done::Fresh>(std::get_if<JobDone>(&outcome));
    if (fresh != nullptr && fresh->kept) emit(t, pool, &slot, "trash_saved", nullptr, *fresh->kept);
    if (fresh != nullptr && request != nullptr) tell_kept(t, *request, slot, fresh->kept, fresh->kept_at);
    became_fresh(t, pool, slot);
  }
  if (request == nullptr) return;
  request->jobs.erase(job.id);
  const bool of_pool = pool.removing == request->id;
  if (failed != nullptr && !request->failed) request->failed = failed->error;
  if (!request->jobs.empty()) return;
  if (request->failed || (of_pool && t.host.draining)) {
    if (of_pool) pool.removing.reset();
    return refuse(t, request->id, request->failed.value_or(say::shutting_down()));
  }
  if (of_pool) return next_of_pool(t, *request, pool);
  answer(t, request->id, proto::EmptyResult{});
}

void pool_removed(Turn& t, const Job& job, const std::optional<Error>& error) {
  const auto found = t.host.pools.find(job.pool);
  if (error) {
    if (found != t.host.pools.end()) {
      found->second.removing.reset();
      found->second.unsettled = true;
    }
    if (job.request && find_request(t, *job.request) != nullptr) refuse(t, *job.request, *error);
    return;
  }
  if (found != t.host.pools.end()) {
    std::vector<RequestId> of_it;
    for (const auto& [id, request] : t.host.requests) {
      if (request.pool == job.pool && id != job.request) of_it.push_back(id);
    }
    for (const RequestId id : of_it) {
      Request* request = find_request(t, id);
      const bool looks = request->looked && request->stage == Stage::running;
      if (looks || request->stage == Stage::parked || request->stage == Stage::queued || request->stage == Stage::waiting) {
        leave_queue(t, *request);
        refuse(t, id, say::pool_unknown(t.host, job.pool));
      }
    }
    t.host.pools.erase(job.pool);
    std::vector<Job> never;
    for (const auto& [id, each] : t.host.jobs) {
      if (each.pool == job.pool && !each.started) never.push_back(each);
    }
    for (const Job& each : never) {
      if (drop_unstarted(t, each.id))
        t.unrun.emplace_back(each, JobFailed{Fault::cancelled, say::pool_unknown(t.host, job.pool)});
    }
    wake_parked(t);  // its load will not be reported any more
  }
  if (job.request && find_request(t, *job.request) != nullptr) answer(t, *job.request, proto::EmptyResult{});
}

}  // namespace wtpool::core
