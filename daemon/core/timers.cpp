// Deadlines: what the next one is, and what happens when it has come. Awake time; nothing here looks at the wall clock.
#include "daemon/core/timers.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/lease/attach.hpp"
#include "daemon/core/lease/cancel.hpp"
#include "daemon/core/lease/queue.hpp"
#include "daemon/core/lease/release.hpp"
#include "daemon/core/pool/load.hpp"
#include "daemon/core/rules/placement.hpp"
#include "daemon/core/slot/seal.hpp"
#include "daemon/core/slot/upkeep.hpp"
#include "daemon/core/slot/warm.hpp"
#include "daemon/core/source/fetch.hpp"
#include "daemon/core/source/tip.hpp"
#include "daemon/core/source/upkeep.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"
#include "daemon/core/step.hpp"

namespace wtpool::core {
namespace {

constexpr seconds kTrashEvery{3600};

bool waits_for_slot(const Request& request) { return request.stage == Stage::queued || request.stage == Stage::waiting; }

void requests_due(Turn& t) {
  std::vector<RequestId> late;
  std::vector<RequestId> waited;
  for (const auto& [id, request] : t.host.requests) {
    if (request.deadline && *request.deadline <= t.now.awake && request.stop == Stop::none) {
      late.push_back(id);
    } else if (waits_for_slot(request) && request.acquire.wait_until && *request.acquire.wait_until <= t.now.awake) {
      waited.push_back(id);
    }
  }
  for (const RequestId id : late) stop_request(t, id, Stop::deadline);
  for (const RequestId id : waited) {
    Request* request = find_request(t, id);
    if (request == nullptr || !waits_for_slot(*request)) continue;
    Pool& pool = t.host.pools.at(request->pool);
    const bool queued = request->stage == Stage::queued;
    const auto& params = std::get<proto::AcquireParams>(request->params);
    const Slot* at_commit = params.unique_sha ? holder_of_commit(pool, request->acquire.full_sha) : nullptr;
    leave_queue(t, *request);
    if (queued && at_commit != nullptr) {
      refuse(t, id, say::timed_out_on_commit(pool, *at_commit, "time", t.now));
    } else if (queued) {
      refuse(t, id, say::timed_out(pool, params.group));
    } else {
      refuse(t, id, say::contended(pool, params.name, "slots are still being recycled"));
    }
  }
}

// Pools whose turn it is do not include those that are away: nothing in them is touched until they are back.
bool acts(const Host& host, const Pool& pool) { return pool.ready() && !pool.removing && !host.draining; }

std::optional<nanoseconds> lease_end(const Slot& slot) {
  return slot.phase == Phase::held && slot.ending == Ending::none ? slot.ends : std::nullopt;
}

std::optional<nanoseconds> look_due(const Slot& slot) {
  return slot.phase == Phase::held && slot.ending == Ending::none ? slot.look_at : std::nullopt;
}

void slot_due(Turn& t, Pool& pool, Slot& slot) {
  if (const auto end = lease_end(slot); end && *end <= t.now.awake) {
    end_lease(t, pool, slot, Ending::expired);
    return;
  }
  if (const auto look = look_due(slot); look && *look <= t.now.awake) look_at_finished(t, pool, slot);
  if (!slot.retry_at || *slot.retry_at > t.now.awake) return;
  slot.retry_at.reset();
  switch (slot.phase) {
    case Phase::held:
      if (slot.ending != Ending::none) start_release(t, pool, slot);
      return;
    case Phase::recycling:
      return start_recycle(t, pool, slot);
    case Phase::recovering:
      return start_recover(t, pool, slot);
    case Phase::quarantined:
      ask(t, JobClass::background, job::Quarantine{slot.reason, "recording it again"}, pool.key, {slot.id});
      return;
    case Phase::fresh:
    case Phase::idle:
      return may_be_had_again(t, pool, slot);
    case Phase::making:
    case Phase::acquiring:
    case Phase::releasing:
    case Phase::repairing:
    case Phase::removing:
      return;
  }
}

}  // namespace

void tick(Turn& t) {
  requests_due(t);
  for (auto& [key, pool] : t.host.pools) {
    if (!t.host.draining && pool.load_retry && *pool.load_retry <= t.now.awake) load_pool(t, pool);
    if (!acts(t.host, pool)) continue;
    for (auto& [id, slot] : pool.slots) slot_due(t, pool, slot);
    if (pool.read_at && *pool.read_at <= t.now.awake) pool.unsettled = true;
    if (pool.next_expiry && *pool.next_expiry <= t.now.awake) {
      pool.next_expiry = after(t.now.awake, kTrashEvery);
      ask(t, JobClass::background, job::ExpireTrash{pool.key, t.host.settings.trash_expiry}, pool.key);
    }
  }
}

std::optional<nanoseconds> next_deadline(const Host& host) {
  std::optional<nanoseconds> next;
  const auto consider = [&](const std::optional<nanoseconds>& when) {
    if (when && (!next || *when < *next)) next = when;
  };
  for (const auto& [id, request] : host.requests) {
    if (request.stop == Stop::none) consider(request.deadline);
    if (waits_for_slot(request)) consider(request.acquire.wait_until);
  }
  consider(next_fetch_due(host));
  consider(next_tending(host));
  for (const auto& [key, pool] : host.pools) {
    if (!host.draining) consider(pool.load_retry);
    if (!acts(host, pool)) continue;
    consider(pool.next_expiry);
    if (!pool.read_back) consider(pool.read_at);
    for (const auto& [id, slot] : pool.slots) {
      consider(lease_end(slot));
      consider(look_due(slot));
      consider(slot.retry_at);
    }
  }
  consider(next_making(host));
  consider(next_sealing(host));
  consider(next_look_at_tip(host));
  return next;
}

}  // namespace wtpool::core
