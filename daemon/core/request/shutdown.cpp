// Draining: what runs comes to its end, what does not is refused, leases stay on disk.
#include "daemon/core/request/shutdown.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/lease/land.hpp"
#include "daemon/core/lease/queue.hpp"
#include "daemon/core/source/fetch.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"
#include "daemon/core/store/fillings.hpp"

namespace wtpool::core {
namespace {

// A lease that was granted a moment ago is confirmed, or rolled back: it does not stay behind as one of nobody.
bool awaits_confirmation(const Pool& pool) {
  return std::any_of(pool.slots.begin(), pool.slots.end(), [](const auto& entry) {
    const Slot& slot = entry.second;
    return slot.phase == Phase::held && slot.ending == Ending::none && slot.unconfirmed && !slot.sessions.empty();
  });
}

// Its client died before it was told of it: kept, it would be held for nobody.
bool ends_a_lease_of_nobody(Turn& t, const Job& job) {
  if (!std::holds_alternative<job::Release>(job.spec) && !std::holds_alternative<job::EndProcesses>(job.spec)) return false;
  const Slot* slot = job.slots.empty() ? nullptr : find_slot(t, job.pool, job.slots.front());
  return slot != nullptr && slot->ending == Ending::rolled_back;
}

}  // namespace

void begin_shutdown(Turn& t) {
  if (t.host.draining) return;
  t.host.draining = true;
  std::vector<Job> never;
  for (const auto& [id, job] : t.host.jobs) {
    if (!job.started && !ends_a_lease_of_nobody(t, job)) never.push_back(job);
  }
  for (const Job& job : never) {
    if (drop_unstarted(t, job.id)) t.unrun.emplace_back(job, JobFailed{Fault::cancelled, say::shutting_down()});
  }
  for (auto& [id, job] : t.host.jobs) {
    const bool ends = std::holds_alternative<job::Resolve>(job.spec) || std::holds_alternative<job::Fetch>(job.spec) ||
                      std::holds_alternative<job::TendMirror>(job.spec) || std::holds_alternative<job::GitStatus>(job.spec) ||
                      std::holds_alternative<job::Seal>(job.spec) || std::holds_alternative<job::Acquire>(job.spec) ||
                      std::holds_alternative<job::MakeSlot>(job.spec);
    if (ends) stop_job(t, id);
  }
  std::vector<RequestId> waiting;
  for (const auto& [id, request] : t.host.requests) {
    switch (request.stage) {
      case Stage::parked:
      case Stage::resolving:
      case Stage::fetching:
      case Stage::waiting:
      case Stage::queued:
      case Stage::filling:
      case Stage::warming:
        waiting.push_back(id);
        break;
      case Stage::recycling: {
        const Slot* slot = find_slot(t, request.pool, request.slot);
        if (slot == nullptr || !slot->job) waiting.push_back(id);
        break;
      }
      case Stage::landing:
        if (!request.landing->moving) waiting.push_back(id);
        break;
      case Stage::placed:
      case Stage::following:
      case Stage::releasing:
      case Stage::running:
        break;
    }
  }
  for (const RequestId id : waiting) {
    Request* request = find_request(t, id);
    if (request == nullptr) continue;
    leave_queue(t, *request);
    if (request->landing) (void)leave_line(t, *request);
    leave_filling(t, id);
    leave_fetch(t, id);
    if (Slot* slot = find_slot(t, request->pool, request->slot)) std::erase(slot->recycle_waits, id);
    if (request->made) {
      answer(t, id, *request->made);
    } else {
      refuse(t, id, say::shutting_down());
    }
  }
}

void check_drained(Turn& t) {
  if (!t.host.draining || t.host.drained || !t.host.jobs.empty()) return;
  if (std::any_of(t.host.pools.begin(), t.host.pools.end(),
                  [](const auto& entry) { return awaits_confirmation(entry.second); }))
    return;
  t.host.drained = true;
  t.answers.push_back(effect::Drained{});
}

}  // namespace wtpool::core
