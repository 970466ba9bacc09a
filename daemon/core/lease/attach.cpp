#include "daemon/core/lease/attach.hpp"

#include "daemon/core/job/grants.hpp"
#include "daemon/core/lease/release.hpp"
#include "daemon/core/rules/locate.hpp"
#include "daemon/core/rules/sweeping.hpp"
#include "daemon/core/state/sentences.hpp"

namespace wtpool::core {
namespace {

constexpr seconds kLookAgain{10};  // at a lease that a process keeps busy

bool lives(const Slot& slot) { return slot.phase == Phase::held && slot.ending == Ending::none && slot.lease; }

}  // namespace

void begin_attach(Turn& t, Request& request, Pool& pool) {
  const auto& params = std::get<proto::AttachParams>(request.params);
  const Found found = locate(pool, params.target, params.scope.cwd);
  if (found.slot == nullptr || !lives(*found.slot)) {
    if (params.target.lease_id) return refuse(t, request.id, say::lease_lost("cannot attach to " + *params.target.lease_id));
    if (found.slot == nullptr && found.asked.empty()) return refuse(t, request.id, say::in_no_slot(pool, "attach"));
    return refuse(t, request.id, say::not_held(pool, found.asked));
  }
  Slot& slot = *found.slot;
  if (slot.lease->kind != LeaseKind::durable) {
    return refuse(t, request.id, {ErrorKind::invalid_params, "lease_id: only a durable lease has sessions"});
  }
  slot.stays = slot.attached.empty() ? params.keep : slot.stays || params.keep;
  slot.look_at.reset();
  if (slot.attached.insert(request.session).second) emit(t, pool, &slot, "attached", &*slot.lease);
  answer(t, request.id, proto::AttachResult{pool.config->session});
}

void session_detached(Turn& t, SessionId session) {
  for (auto& [key, pool] : t.host.pools) {
    for (auto& [id, slot] : pool.slots) {
      if (slot.attached.erase(session) == 0 || !slot.lease) continue;
      emit(t, pool, &slot, "detached", &*slot.lease);
      if (slot.attached.empty() && !slot.stays && lives(slot)) look_at_finished(t, pool, slot);
    }
  }
}

void look_at_finished(Turn& t, Pool& pool, Slot& slot) {
  slot.look_at.reset();
  if (!pool.ready() || t.host.draining) return;
  ask(t, JobClass::background, job::GitStatus{pool.key, {{slot.id, slot.git_id, slot.lease}}, true}, pool.key);
}

void finished_seen(Turn& t, const Job& job, const JobOutcome& outcome) {
  const auto& spec = std::get<job::GitStatus>(job.spec);
  const auto found = t.host.pools.find(job.pool);
  const auto* done = std::get_if<JobDone>(&outcome);
  const auto* read = done == nullptr ? nullptr : std::get_if<done::StatusRead>(done);
  if (found == t.host.pools.end() || spec.slots.empty()) return;
  Pool& pool = found->second;
  const auto& of = spec.slots.front();
  Slot* slot = find_slot(t, job.pool, of.slot);
  if (slot == nullptr || !lives(*slot) || !of.lease || slot->lease->id != of.lease->id || !slot->attached.empty()) return;
  if (read == nullptr || read->slots.empty()) {
    note(t, 1, "the lease '" + slot->lease->name + "' stays: it could not be looked at");
    return;
  }
  const auto& facts = read->slots.front().second;
  const auto verdict = judge(facts, 0, seconds(0), seconds(0));
  if (is_swept(verdict.sweep_class)) return release_judged(t, pool, *slot, facts, std::nullopt);
  if (facts.process) slot->look_at = after(t.now.awake, kLookAgain);
  note(t, 1, "the lease '" + slot->lease->name + "' stays: " + verdict.reason);
}

void release_judged(Turn& t, Pool& pool, Slot& slot, const SweepFacts& facts, std::optional<RequestId> sweep) {
  slot.judged = Judged{{facts.head, facts.tip}, sweep};
  slot.ending = Ending::released;
  slot.ending_dirty = Dirty::save;
  start_release(t, pool, slot);
}

}  // namespace wtpool::core
