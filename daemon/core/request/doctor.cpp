// `doctor --repair` in the pools that are served. What it finds is judged by the same table as any other reading of a slot.
#include "daemon/core/request/doctor.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/slot/apply_facts.hpp"
#include "daemon/core/slot/upkeep.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"

namespace wtpool::core {
namespace {

proto::DoctorCheck left(const PoolKey& pool, const Error& why) {
  return {"repair", "warn", "pool " + pool.str() + " is left as it is: " + why.message,
          why.hint.empty() ? std::nullopt : std::optional(why.hint)};
}

// Each of a pool's jobs fails for a source that is away.
void note_left(Request& request, proto::DoctorCheck check) {
  const bool said = std::ranges::any_of(request.healed, [&](const auto& each) {
    return each.name == check.name && each.status == check.status && each.detail == check.detail;
  });
  if (!said) request.healed.push_back(std::move(check));
}

void answer_when_done(Turn& t, Request& request) {
  if (!request.jobs.empty()) return;
  proto::DoctorResult result;
  result.checks = std::move(request.healed);
  answer(t, request.id, std::move(result));
}

}  // namespace

void begin_doctor(Turn& t, Request& request) {
  request.stage = Stage::running;
  for (auto& [key, pool] : t.host.pools) {
    if (!pool.ready() || pool.removing) {
      const Error away = say::pool_unavailable(key, "it cannot be looked at now");
      note_left(request, left(key, pool.unavailable.value_or(away)));
      continue;
    }
    request.jobs.insert(ask(t, JobClass::answering, job::Heal{key, {}}, key, {}, request.id, true));
    request.jobs.insert(ask(t, JobClass::network, job::HealLocks{key}, key, {}, request.id));
  }
  answer_when_done(t, request);
}

void heal_ended(Turn& t, const Job& job, const JobOutcome& outcome) {
  const auto found = t.host.pools.find(job.pool);
  const auto* done = std::get_if<JobDone>(&outcome);
  const auto* healed = done == nullptr ? nullptr : std::get_if<done::Healed>(done);
  if (found != t.host.pools.end()) found->second.unsettled = true;  // its slots may be had again
  if (healed != nullptr && found != t.host.pools.end()) {
    Pool& pool = found->second;
    for (const SlotId& id : healed->freed) {
      Slot* slot = find_slot(t, pool.key, id);
      if (slot != nullptr && can_be_healed(*slot)) became_fresh(t, pool, *slot);
    }
    for (const SlotFacts& facts : healed->slots) {
      if (find_slot(t, pool.key, facts.slot) != nullptr) apply_facts(t, pool, facts, false);
    }
  }
  Request* request = job.request ? find_request(t, *job.request) : nullptr;
  if (request == nullptr) return;
  request->jobs.erase(job.id);
  if (healed != nullptr) {
    request->healed.insert(request->healed.end(), healed->did.begin(), healed->did.end());
  } else if (const auto* failed = std::get_if<JobFailed>(&outcome)) {
    note_left(*request, left(job.pool, failed->error));
  }
  answer_when_done(t, *request);
}

}  // namespace wtpool::core
