// Waiting for a slot: those who asked to wait, by ticket, and behind them those who only sit out a recycle.
#include "daemon/core/lease/queue.hpp"

#include <algorithm>

#include "daemon/core/rules/placement.hpp"
#include "daemon/core/slot/warm.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"

namespace wtpool::core {
namespace {

bool anything_recycles(const Host& host, const Pool& pool, const std::optional<std::string>& group) {
  return std::any_of(pool.slots.begin(), pool.slots.end(), [&](const auto& entry) {
    const Slot& slot = entry.second;
    const bool soon_free = slot.phase == Phase::recycling || slot.phase == Phase::recovering || slot.phase == Phase::removing ||
                           slot.phase == Phase::making;
    const bool looked_at = slot.phase != Phase::quarantined && being_healed(host, slot);
    return slot.group == group && (soon_free || looked_at);
  });
}

bool anything_taken(const Host& host, const Pool& pool, const std::optional<std::string>& group) {
  return std::any_of(pool.slots.begin(), pool.slots.end(), [&](const auto& entry) {
    const Slot& slot = entry.second;
    return slot.group == group && (!can_be_healed(slot) || being_healed(host, slot));
  });
}

Error nothing_free(const Turn& t, const Request& request, Pool& pool) {
  const auto& params = std::get<proto::AcquireParams>(request.params);
  const Acquiring& acquire = request.acquire;
  if (!acquire.passed.empty() && !anything_taken(t.host, pool, params.group)) {
    return say::contended(pool, params.name, "another program holds the locks of those that are left");
  }
  if (acquire.last_fault) return *acquire.last_fault;
  if (!acquire.passed.empty())
    return say::contended(pool, params.name, "another program holds the locks of those that are left");
  return say::at_capacity(pool, params.name, params.group, t.now);
}

void insert_by_ticket(Turn& t, std::vector<RequestId>& list, const Request& request) {
  const auto later = std::find_if(list.begin(), list.end(), [&](RequestId id) {
    const Request* other = find_request(t, id);
    return other != nullptr && other->acquire.ticket > request.acquire.ticket;
  });
  list.insert(later, request.id);
}

void emit_ticket(Turn& t, const Pool& pool, const Request& request, const char* type) {
  const auto& params = std::get<proto::AcquireParams>(request.params);
  proto::EventNote event;
  event.seq = t.host.next_seq++;
  event.time = t.now.wall;
  event.pool = pool.key.str();
  event.type = type;
  event.name = params.name;
  event.ticket = static_cast<std::int64_t>(request.acquire.ticket);
  t.notes.push_back(effect::Emit{std::move(event)});
}

void tell_positions(Turn& t, const Pool& pool) {
  std::int64_t position = 0;
  for (const RequestId id : pool.queue) {
    ++position;
    Request* request = find_request(t, id);
    if (request->acquire.told_position == position) continue;
    request->acquire.told_position = position;
    proto::Progress progress;
    progress.phase = "queued";
    progress.queue_position = position;
    tell(t, *request, std::move(progress));
  }
}

void refuse_waiter(Turn& t, RequestId id, Error error) {
  Request* request = find_request(t, id);
  leave_queue(t, *request);
  refuse(t, id, std::move(error));
}

}  // namespace

void wait_or_refuse(Turn& t, Request& request, Pool& pool) {
  const auto& params = std::get<proto::AcquireParams>(request.params);
  Acquiring& acquire = request.acquire;
  const Slot* at_commit = params.unique_sha ? holder_of_commit(pool, acquire.full_sha) : nullptr;
  const bool only_passed_left = !acquire.passed.empty() && !anything_taken(t.host, pool, params.group);
  const bool only_faults_left = acquire.last_fault && !anything_taken(t.host, pool, params.group);
  // A lock that another program has is let go again, and who waits gets the slot then.
  const bool queues = params.wait_ms && (at_commit != nullptr || only_passed_left || !only_faults_left);
  if (!queues) {
    if (at_commit != nullptr)
      return refuse(t, request.id, say::sha_held(pool, params.name, *at_commit, acquire.full_sha, t.now));
    if (!anything_recycles(t.host, pool, params.group)) return refuse(t, request.id, nothing_free(t, request, pool));
  }
  if (pool.queue.size() + pool.waiting.size() >= t.host.settings.queue_limit) {
    return refuse(t, request.id, say::queue_full(pool, t.host.settings.queue_limit));
  }
  making_gives_way(t, pool, params.group);
  pool.unsettled = true;
  if (queues) {
    request.stage = Stage::queued;
    if (!acquire.wait_until && *params.wait_ms > 0) {
      acquire.wait_until =
          after(t.now.awake, seconds(*params.wait_ms / 1000)) + std::chrono::milliseconds(*params.wait_ms % 1000);
    }
    insert_by_ticket(t, pool.queue, request);
    acquire.announced = true;
    emit_ticket(t, pool, request, "queued");
    return;
  }
  request.stage = Stage::waiting;
  if (!acquire.wait_until) acquire.wait_until = after(t.now.awake, t.host.settings.recycle_wait);
  insert_by_ticket(t, pool.waiting, request);
  proto::Progress progress;
  progress.phase = "recycling";
  progress.message = "waiting for a slot that is being recycled";
  tell(t, request, std::move(progress));
}

void leave_queue(Turn& t, Request& request) {
  const auto found = t.host.pools.find(request.pool);
  if (found == t.host.pools.end()) return;
  Pool& pool = found->second;
  std::erase(pool.queue, request.id);
  std::erase(pool.waiting, request.id);
  request.acquire.told_position.reset();
  if (!request.acquire.announced) return;
  request.acquire.announced = false;
  emit_ticket(t, pool, request, "dequeued");
  pool.unsettled = true;
}

void serve(Turn& t, Pool& pool) {
  if (!pool.ready() || pool.removing || t.host.draining) return;
  for (const RequestId id : std::vector<RequestId>(pool.queue)) {
    if (Request* request = find_request(t, id)) (void)try_place(t, *request, pool);
  }
  for (const RequestId id : std::vector<RequestId>(pool.waiting)) {
    Request* request = find_request(t, id);
    if (request == nullptr || try_place(t, *request, pool) != Placed::blocked) continue;
    const auto& params = std::get<proto::AcquireParams>(request->params);
    const Slot* at_commit = params.unique_sha ? holder_of_commit(pool, request->acquire.full_sha) : nullptr;
    if (at_commit != nullptr) {
      refuse_waiter(t, id, say::sha_held(pool, params.name, *at_commit, request->acquire.full_sha, t.now));
    } else if (!anything_recycles(t.host, pool, params.group)) {
      refuse_waiter(t, id, nothing_free(t, *request, pool));
    }
  }
  tell_positions(t, pool);
}

}  // namespace wtpool::core
