// How an Acquire job came out: a lease begins, or the slot goes back and the next candidate is tried.
#include "daemon/core/lease/acquire_outcome.hpp"

#include <algorithm>
#include <utility>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/lease/acquire.hpp"
#include "daemon/core/lease/cancel.hpp"
#include "daemon/core/lease/queue.hpp"
#include "daemon/core/lease/release.hpp"
#include "daemon/core/rules/consequences.hpp"
#include "daemon/core/slot/upkeep.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"
#include "daemon/core/store/deps.hpp"

namespace wtpool::core {
namespace {

proto::AcquireResult result_of(const Turn& t, const Request& request, const Pool& pool, const Slot& slot, bool fresh) {
  proto::AcquireResult result;
  result.pool = pool.key.str();
  result.slot = slot.id.str();
  result.path = slot_path(pool, slot.id);
  result.name = slot.lease->name;
  result.branch = slot.lease->name;
  result.full_sha = slot.lease->full_sha.str();
  result.lease_id = slot.lease->id.str();
  result.fresh = fresh;
  result.creation.emplace();
  result.reused_commit = slot.reused_commit;
  result.missing_deps = missing_deps_of(request.acquire.plan);
  const auto source = t.host.sources.find(pool.place->source);
  if (source != t.host.sources.end()) result.fetched_at = source->second.fetched_at;
  result.waited_seconds = std::chrono::duration<double>(t.now.awake - request.arrived).count();
  return result;
}

// A lease of a connection, or one that nobody has confirmed yet, ends with the last of those it was given to. Who does not mean
// to confirm it has it for good.
void tie_to_session(Slot& slot, const Request& request) {
  if (!std::get<proto::AcquireParams>(request.params).confirm) slot.unconfirmed = false;
  if (slot.unconfirmed || slot.lease->kind == LeaseKind::connection) {
    slot.sessions.insert(request.session);
  } else {
    slot.sessions.clear();
  }
}

// Of an acquire that was not taken back, as if its daemon had died. Its entry and directory are looked at by the job, which may
// find any of them gone.
SlotFacts left_halfway(const Slot& slot) {
  SlotFacts left;
  left.slot = slot.id;
  left.git_id = slot.git_id;
  left.marker = Marker{*slot.lease, MarkerState::acquiring, {}, {}};
  return left;
}

// A lease that is given back by its NAME has the key of who has it now.
void take_key(Turn& t, const Pool& pool, Slot& slot, const proto::AcquireParams& params) {
  if (!params.reuse || !params.key || slot.lease->key == params.key) return;
  slot.lease->key = params.key;
  Marker marker;
  marker.lease = *slot.lease;
  ask(t, JobClass::answering, job::RewriteMarker{marker}, pool.key, {slot.id});
}

void slot_goes_back(Turn& t, Pool& pool, Slot& slot, bool untouched) {
  slot.phase = slot.fresh_made ? Phase::fresh : Phase::idle;
  if (slot.fresh_made) {
    slot.git_id.clear();
    pool.read_at = t.now.awake;  // what the job left is read, not guessed
  }
  if (!untouched) {
    slot.at.reset();
    slot.tree = Oid{};
  }
  slot.seal_at = t.now.awake;
  t.answers.push_back(effect::DropSeal{pool.key, slot.id});  // it may not have taken it
  slot.lease.reset();
  slot.acquire.reset();
  slot.fresh_made = false;
  slot.changed = t.host.turn;
  pool.unsettled = true;
}

}  // namespace

void give_back(Turn& t, RequestId id, const Pool& pool, const Slot& slot) {
  Request* request = find_request(t, id);
  leave_queue(t, *request);
  Slot& own = *find_slot(t, pool.key, slot.id);
  const bool in_grace = own.lease->kind == LeaseKind::connection && own.sessions.empty();
  tie_to_session(own, *request);
  if (in_grace) own.ends = time_to_live(own, t.now);
  take_key(t, pool, own, std::get<proto::AcquireParams>(request->params));
  note_change(t, *request);
  answer(t, id, result_of(t, *request, pool, own, false), own.receipt);
}

void acquire_done(Turn& t, const Job& job, const done::Acquired& done) {
  if (Request* request = job.request ? find_request(t, *job.request) : nullptr; request != nullptr)
    note_missing(request->acquire.plan, done.missing_deps);
  Pool& pool = t.host.pools.at(job.pool);
  Slot& slot = pool.slots.at(job.slots.front());
  const bool fresh = slot.fresh_made;
  slot.phase = Phase::held;
  slot.changed = t.host.turn;
  slot.git_id = done.git_id;
  slot.lease = done.lease;
  slot.receipt = done.durable;
  slot.branch = done.lease.name;
  slot.at = done.lease.full_sha;
  slot.tree = done.tree;
  slot.occupied = false;
  slot.faults = 0;
  slot.fresh_made = false;
  slot.reused_commit = done.reused_commit;
  slot.last_used = t.host.turn;
  slot.directory_gone = false;
  slot.sessions.clear();
  slot.unconfirmed = true;
  slot.acquire.reset();
  pool.unsettled = true;
  lease_begins(t, slot);
  if (fresh) emit(t, pool, &slot, "created");
  emit(t, pool, &slot, "acquired", &*slot.lease);

  Request* leader = job.request ? find_request(t, *job.request) : nullptr;
  std::vector<RequestId> takers;
  bool nobody = true;
  if (leader != nullptr) {
    takers = std::exchange(leader->followers, {});
    takers.insert(takers.begin(), leader->id);
  }
  for (const RequestId id : takers) {
    Request* request = find_request(t, id);
    if (request == nullptr) continue;
    request->jobs.erase(job.id);
    if (request->stop == Stop::gone) {
      refuse(t, id, stop_error(*request, {}));
      continue;
    }
    tie_to_session(slot, *request);
    nobody = false;
    for (const auto& warning : done.warnings) warn(t, *request, warning);
    auto result = result_of(t, *request, pool, slot, fresh);
    result.creation = done.creation;
    if (done.hooks) result.hooks = true;  // a lease that is given back later has had them
    answer(t, id, std::move(result), done.durable);
  }
  if (nobody) end_lease(t, pool, slot, Ending::rolled_back);
}

void acquire_failed(Turn& t, const Job& job, const JobFailed& failed) {
  Pool& pool = t.host.pools.at(job.pool);
  Slot& slot = pool.slots.at(job.slots.front());
  const SlotId id = slot.id;
  const Consequence then = consequence(Doing::acquiring, failed.fault);
  SlotFacts left = left_halfway(slot);
  slot_goes_back(t, pool, slot, then == Consequence::pass_over);
  const bool too_often = then == Consequence::set_aside && ++slot.faults >= kFaultsUntilQuarantine;
  if (pool.ready() && (too_often || then == Consequence::quarantine_slot)) {
    quarantine(t, pool, slot, failed.error.message, "acquire");
  } else if (failed.halfway) {
    slot.facts = std::move(left);
    slot.of_own = true;
    start_recover(t, pool, slot);
  }
  // Others may be waiting to try it again, whatever becomes of this request.
  if (slot.phase == Phase::idle || slot.phase == Phase::fresh) {
    if (then == Consequence::pass_over) {
      pass_over(t, pool, slot);
    } else if (then == Consequence::set_aside) {
      try_later(t, slot);
    } else {
      may_be_had_again(t, pool, slot);
    }
  }

  Request* request = job.request ? find_request(t, *job.request) : nullptr;
  if (request == nullptr) return;
  request->jobs.erase(job.id);
  // Not while its NAME and its lease are still being taken back here.
  const bool next = then != Consequence::tell && slot.phase != Phase::recovering;
  if (next && request->stop == Stop::none && !t.host.draining && pool.ready()) {
    if (then == Consequence::pass_over) {
      request->acquire.passed.insert(id);
    } else {
      request->acquire.set_aside.insert(id);
      request->acquire.last_fault = failed.error;
    }
    return place(t, request->id);
  }
  Error error = failed.error;
  if (request->stop != Stop::none) {
    error = stop_error(*request, "slot " + id.str() + " of pool '" + pool.key.str() + "' to be made ready");
    return refuse(t, request->id, std::move(error));  // who joined it begins anew
  }
  if (t.host.draining) error = say::shutting_down();
  const std::vector<RequestId> followers = std::exchange(request->followers, {});
  refuse(t, request->id, error);
  for (const RequestId follower : followers) {
    if (find_request(t, follower) != nullptr) refuse(t, follower, error);
  }
}

}  // namespace wtpool::core
