// A lease is given more time.
#include "daemon/core/lease/renew.hpp"

#include "daemon/core/job/grants.hpp"
#include "daemon/core/rules/locate.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"

namespace wtpool::core {
namespace {

std::optional<std::int64_t> expires_at(const Slot& slot, Now now) {
  if (!slot.ends) return std::nullopt;
  return now.wall + std::chrono::duration_cast<seconds>(*slot.ends - now.awake).count();
}

// While its client is still waited for, nothing keeps a connection lease longer than that.
void set_end(Slot& slot, std::optional<nanoseconds> end) {
  const bool in_grace = slot.lease->kind == LeaseKind::connection && slot.sessions.empty();
  slot.ends = in_grace && slot.ends ? std::min(*slot.ends, end.value_or(*slot.ends)) : end;
}

}  // namespace

void begin_renew(Turn& t, Request& request, Pool& pool) {
  const auto& params = std::get<proto::RenewParams>(request.params);
  Found found = locate(pool, params.target, params.scope.cwd);
  if (found.slot == nullptr && !names_one(params.target)) found.slot = slot_of_lease(pool, params.held_by);
  if (found.slot != nullptr && (found.slot->phase == Phase::quarantined || found.slot->phase == Phase::repairing)) {
    return refuse(t, request.id, say::quarantined(pool, *found.slot));
  }
  if (found.slot == nullptr || found.slot->phase != Phase::held || found.slot->ending != Ending::none) {
    if (params.target.lease_id) return refuse(t, request.id, say::lease_lost("cannot renew " + *params.target.lease_id));
    if (params.held_by && !lives(t.host, *params.held_by))
      return refuse(t, request.id, say::lease_lost("cannot renew " + *params.held_by));
    if (found.slot == nullptr && (found.by_slot || found.asked.empty()) && !params.target.target && !params.target.slot) {
      return refuse(t, request.id, say::in_no_slot(pool, "renew"));
    }
    return refuse(t, request.id, say::not_held(pool, found.asked));
  }
  Slot& slot = *found.slot;
  if (!params.target.lease_id && is_anothers(t.host, slot, params.held_by))
    return refuse(t, request.id, say::held_by_another(pool, slot, "cannot renew " + slot.id.str()));
  if (!params.ttl_seconds) {
    set_end(slot, time_to_live(slot, t.now));
    return answer(t, request.id, proto::RenewResult{expires_at(slot, t.now)});
  }
  if (*params.ttl_seconds <= 0) return refuse(t, request.id, {ErrorKind::invalid_params, "ttl_seconds: must be above 0"});
  Marker marker;
  marker.lease = *slot.lease;
  marker.lease.ttl = seconds(*params.ttl_seconds);
  note_change(t, request);
  request.stage = Stage::running;
  request.slot = slot.id;
  request.jobs.insert(ask(t, JobClass::answering, job::RewriteMarker{marker}, pool.key, {slot.id}, request.id));
}

void renewed(Turn& t, const Job& job, const std::optional<Error>& error) {
  const Lease& lease = std::get<job::RewriteMarker>(job.spec).marker.lease;
  Slot* slot = find_slot(t, job.pool, job.slots.front());
  const bool lives = slot != nullptr && slot->lease && slot->lease->id == lease.id &&
                     (slot->phase == Phase::held || slot->phase == Phase::releasing);
  if (error) {
    note(t, 2, "the marker of " + job.slots.front().str() + " could not be written: " + error->message);
    if (job.request && find_request(t, *job.request) != nullptr) refuse(t, *job.request, *error);
    return;
  }
  if (lives && job.request) {
    slot->lease->ttl = lease.ttl;
    set_end(*slot, time_to_live(*slot, t.now));
  }
  if (!job.request || find_request(t, *job.request) == nullptr) return;
  if (!lives) return refuse(t, *job.request, say::lease_lost("cannot renew '" + lease.name + "'"));
  answer(t, *job.request, proto::RenewResult{expires_at(*slot, t.now)});
}

}  // namespace wtpool::core
