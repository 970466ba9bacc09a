// `slot.repair`: a quarantined slot is made fit to be handed out again.
#include "daemon/core/request/repair.hpp"

#include <algorithm>
#include <utility>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/rules/locate.hpp"
#include "daemon/core/slot/upkeep.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void begin_repair(Turn& t, Request& request, Pool& pool) {
  const auto& params = std::get<proto::SlotRepairParams>(request.params);
  Slot* const found = slot_called(pool, params.slot);
  if (found == nullptr && is_path(params.slot)) return refuse(t, request.id, say::path_in_no_slot(pool, "repair", params.slot));
  if (found == nullptr) return refuse(t, request.id, say::slot_unknown(pool, params.slot));
  Slot& slot = *found;
  if (slot.phase == Phase::repairing) return refuse(t, request.id, say::busy(pool, slot, "repaired"));
  const bool steady = slot.phase == Phase::fresh || slot.phase == Phase::idle;
  if (steady && !std::exchange(request.looked, true)) {
    // `doctor` may have seen what nobody here has looked at since.
    request.stage = Stage::running;
    request.slot = slot.id;
    request.jobs.insert(ask(t, JobClass::answering, job::ReadBack{pool.key, {slot.id}}, pool.key, {slot.id}, request.id));
    return;
  }
  if (slot.phase != Phase::quarantined) {
    Error error(ErrorKind::not_held, slot.id.str() + " of pool '" + pool.key.str() + "' is not quarantined");
    error.pool = pool.key.str();
    error.slot = slot.id.str();
    return refuse(t, request.id, std::move(error));
  }
  slot.phase = Phase::repairing;
  slot.changed = t.host.turn;
  slot.retry_at.reset();
  note_change(t, request);
  request.stage = Stage::running;
  request.slot = slot.id;
  request.jobs.insert(ask(t, JobClass::answering, job::Repair{params.discard}, pool.key, {slot.id}, request.id, true));
}

void repair_ended(Turn& t, const Job& job, const JobOutcome& outcome) {
  Pool& pool = t.host.pools.at(job.pool);
  Slot& slot = pool.slots.at(job.slots.front());
  const auto* done = std::get_if<JobDone>(&outcome);
  const auto* idle = done == nullptr ? nullptr : std::get_if<done::Idle>(done);
  const auto* fresh = done == nullptr ? nullptr : std::get_if<done::Fresh>(done);
  Request* request = job.request ? find_request(t, *job.request) : nullptr;
  if (idle == nullptr && fresh == nullptr) {
    slot.phase = Phase::quarantined;
    slot.changed = t.host.turn;
    const auto* failed = std::get_if<JobFailed>(&outcome);
    const Error error =
        failed != nullptr ? failed->error : Error(ErrorKind::internal, "a repair ended without saying how the slot is");
    if (request != nullptr) refuse(t, request->id, error);
    return;
  }
  slot.faults = 0;
  if (idle != nullptr) {
    if (request != nullptr) {
      for (const auto& warning : idle->warnings) warn(t, *request, warning);
      tell_kept(t, *request, slot, idle->kept, idle->kept_at);
    }
    became_idle(t, pool, slot, *idle);
  } else {
    if (fresh->kept) emit(t, pool, &slot, "trash_saved", nullptr, *fresh->kept);
    if (request != nullptr) tell_kept(t, *request, slot, fresh->kept, fresh->kept_at);
    became_fresh(t, pool, slot);
  }
  if (request != nullptr) answer(t, request->id, proto::EmptyResult{});
}

}  // namespace wtpool::core
