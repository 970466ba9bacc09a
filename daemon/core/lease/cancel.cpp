// Requests that nobody wants any more: cancelled, out of time, or their connection is gone. Each still gets its one answer.
#include "daemon/core/lease/cancel.hpp"

#include "daemon/core/lease/attach.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/lease/acquire_outcome.hpp"
#include "daemon/core/lease/land.hpp"
#include "daemon/core/lease/queue.hpp"
#include "daemon/core/lease/release.hpp"
#include "daemon/core/rules/placement.hpp"
#include "daemon/core/source/fetch.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"
#include "daemon/core/store/fillings.hpp"

namespace wtpool::core {
namespace {

// Who comes next, often at once, does not wait for slots to be read that somebody has just left.
constexpr std::chrono::milliseconds kReadBackPause{100};

std::string waited_for(const Request& request) {
  const std::string pool = "pool '" + request.pool.str() + "'";
  switch (request.stage) {
    case Stage::parked:
      return "the pools to be loaded";
    case Stage::resolving:
      return "the source of " + pool + " to resolve the commit";
    case Stage::fetching:
      return "a fetch of the source of " + pool;
    case Stage::waiting:
    case Stage::queued:
      return "a free slot of " + pool;
    case Stage::placed:
    case Stage::following:
      return "slot " + request.slot.str() + " of " + pool + " to be made ready";
    case Stage::releasing:
      return "the release of " + request.slot.str();
    case Stage::recycling:
      return "the recycling of " + request.slot.str();
    case Stage::filling:
      return "an entry of the store to be made";
    case Stage::warming:
      return "slots of " + pool + " to be made";
    case Stage::landing:
      return "its turn to land on " + (request.landing->what.target.empty() ? "its target" : request.landing->what.target);
    case Stage::running:
      return "its job";
  }
  return {};
}

// Of one who queues: in the slot that holds the commit it wants for itself alone.
const Slot* waits_for_commit(Turn& t, const Request& request) {
  const auto* params = std::get_if<proto::AcquireParams>(&request.params);
  const auto pool = t.host.pools.find(request.pool);
  if (params == nullptr || !params->unique_sha || request.stage != Stage::queued || pool == t.host.pools.end()) return nullptr;
  return holder_of_commit(pool->second, request.acquire.full_sha);
}

void give_up(Turn& t, Request& request, Stop why) {
  request.stop = why;
  if (const Slot* slot = waits_for_commit(t, request); slot != nullptr && why == Stop::deadline) {
    return refuse(t, request.id, say::timed_out_on_commit(t.host.pools.at(request.pool), *slot, "deadline", t.now));
  }
  refuse(t, request.id, stop_error(request, waited_for(request)));
}

// The acquire goes on for those who joined it, the first of them in front.
void hand_over(Turn& t, Request& leader, Slot& slot) {
  Request& heir = *find_request(t, leader.followers.front());
  heir.acquire = leader.acquire;
  heir.acquire.plan.request = heir.id;
  heir.stage = Stage::placed;
  heir.slot = leader.slot;
  heir.leader.reset();
  heir.jobs = leader.jobs;
  heir.followers.insert(heir.followers.begin(), leader.followers.begin() + 1, leader.followers.end());  // it may have some
  for (const RequestId id : heir.followers) find_request(t, id)->leader = heir.id;
  for (const JobId job : heir.jobs) t.host.jobs.at(job).request = heir.id;
  leader.followers.clear();
  slot.acquire = heir.id;
}

void stop_placed(Turn& t, Request& request, Stop why) {
  Slot& slot = *find_slot(t, request.pool, request.slot);
  if (!request.followers.empty()) {
    hand_over(t, request, slot);
    return give_up(t, request, why);
  }
  request.stop = why;
  const JobId id = *request.jobs.begin();
  const Job job = t.host.jobs.at(id);
  if (drop_unstarted(t, id)) {
    acquire_failed(t, job, {Fault::cancelled, {ErrorKind::cancelled, "cancelled"}});
  } else {
    stop_job(t, id);
  }
}

void stop_releasing(Turn& t, Request& request, Stop why) {
  Slot& slot = *find_slot(t, request.pool, request.slot);
  const bool alone = slot.releases.size() == 1 && slot.ending == Ending::released;
  if (!alone) {
    std::erase(slot.releases, request.id);
    return give_up(t, request, why);
  }
  request.stop = why;
  for (const auto& [id, each] : t.host.jobs) {
    if (!std::holds_alternative<job::Release>(each.spec) || each.pool != request.pool || each.slots.front() != slot.id)
      continue;
    const Job job = each;
    if (drop_unstarted(t, job.id)) {
      release_failed(t, job, {Fault::cancelled, {ErrorKind::cancelled, "cancelled"}});
    } else {
      stop_job(t, job.id);
    }
    return;
  }
}

void stop_recycling(Turn& t, Request& request, Stop why) {
  Slot& slot = *find_slot(t, request.pool, request.slot);
  std::erase(slot.recycle_waits, request.id);
  const bool released = std::holds_alternative<proto::ReleaseParams>(request.params);
  if (why == Stop::deadline || !released) return give_up(t, request, why);
  proto::ReleaseResult result;  // the release itself was committed
  result.slot = slot.id.str();
  result.trash_id = request.trash_id;
  answer(t, request.id, result);
}

// What only reads is given up at once; what changes something is let come to its end, and its result answered.
void stop_running(Turn& t, Request& request, Stop why) {
  const bool reads = std::holds_alternative<proto::SlotListParams>(request.params) ||
                     std::holds_alternative<proto::SubscribeParams>(request.params) ||
                     std::holds_alternative<proto::TrashListParams>(request.params);
  if (!reads) return;
  for (const JobId id : request.jobs) {
    if (!drop_unstarted(t, id)) stop_job(t, id);
  }
  give_up(t, request, why);
}

}  // namespace

Error stop_error(const Request& request, const std::string& waited) {
  if (request.stop == Stop::deadline) {
    Error error(ErrorKind::timed_out, "the deadline ran out, waiting for " + waited);
    error.pool = request.pool.str();
    return error;
  }
  return {ErrorKind::cancelled, request.stop == Stop::gone ? "the connection ended" : "cancelled"};
}

void stop_request(Turn& t, RequestId id, Stop why) {
  Request* request = find_request(t, id);
  if (request == nullptr) return;
  if (request->stop != Stop::none) {
    if (why == Stop::gone) request->stop = why;
    return;
  }
  switch (request->stage) {
    case Stage::parked:
      return give_up(t, *request, why);
    case Stage::waiting:
    case Stage::queued:
      leave_queue(t, *request);
      return give_up(t, *request, why);
    case Stage::resolving:
      leave_fetch(t, id);
      for (const JobId job : request->jobs) {
        if (!drop_unstarted(t, job)) stop_job(t, job);
      }
      return give_up(t, *request, why);
    case Stage::fetching:
      leave_fetch(t, id);
      return give_up(t, *request, why);
    case Stage::following:
      if (Request* leader = request->leader ? find_request(t, *request->leader) : nullptr) std::erase(leader->followers, id);
      return give_up(t, *request, why);
    case Stage::placed:
      return stop_placed(t, *request, why);
    case Stage::releasing:
      return stop_releasing(t, *request, why);
    case Stage::recycling:
      return stop_recycling(t, *request, why);
    case Stage::filling:
      leave_filling(t, id);
      return give_up(t, *request, why);
    case Stage::warming:
      return give_up(t, *request, why);
    case Stage::landing:
      if (leave_line(t, *request)) return give_up(t, *request, why);
      request->stop = why;
      return;
    case Stage::running:
      return stop_running(t, *request, why);
  }
}

void session_closed(Turn& t, SessionId session) {
  if (t.host.drained) return;  // it is the daemon that leaves, and its leases stay
  std::vector<RequestId> of_it;
  for (const auto& [id, request] : t.host.requests) {
    if (request.session == session) of_it.push_back(id);
  }
  for (const RequestId id : of_it) stop_request(t, id, Stop::gone);
  filler_gone(t, session);
  session_detached(t, session);

  for (auto& [key, pool] : t.host.pools) {
    for (auto& [id, slot] : pool.slots) {
      // The next daemon gives who holds one time to come back, and ends it when nobody does.
      if (t.host.draining && !slot.unconfirmed) continue;
      if (slot.sessions.erase(session) == 0 || !slot.sessions.empty()) continue;
      const Ending ending = slot.unconfirmed ? Ending::rolled_back : Ending::expired;
      if (slot.phase == Phase::held) end_lease(t, pool, slot, ending);
      if (slot.phase == Phase::releasing) slot.ending = ending;  // also when the release that was asked for fails
    }
  }

  const auto changed = t.host.changed_by.find(session);
  if (changed == t.host.changed_by.end()) return;
  for (const PoolKey& key : changed->second) {
    const auto pool = t.host.pools.find(key);
    if (pool == t.host.pools.end()) continue;
    if (!pool->second.read_at) pool->second.read_at = t.now.awake + kReadBackPause;
  }
  t.host.changed_by.erase(changed);
}

void owner_gone(Turn& t, const event::OwnerGone& event) {
  if (t.host.drained) return;  // the next daemon sees it too
  for (auto& [key, pool] : t.host.pools) {
    for (auto& [id, slot] : pool.slots) {
      if (!slot.lease || slot.lease->id != event.lease) continue;
      if (slot.phase == Phase::held) end_lease(t, pool, slot, Ending::expired);
      if (slot.phase == Phase::releasing) slot.ending = Ending::expired;  // also when the release that was asked for fails
    }
  }
}

}  // namespace wtpool::core
