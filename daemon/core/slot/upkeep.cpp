// What happens to a slot between leases: recycling, recovering what a dead daemon left, quarantine.
#include "daemon/core/slot/upkeep.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/rules/consequences.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::core {
namespace {

constexpr std::chrono::milliseconds kBusyAgain{200};
constexpr seconds kFaultAgain{1};
constexpr std::chrono::milliseconds kOfferAgain{500};
constexpr seconds kHostFaultAgain{5};

// One that only waited for the recycle to be over.
void looks_again(Turn& t, Request& request) {
  if (t.host.draining) return refuse(t, request.id, say::shutting_down());
  t.again.push_back(request.id);
}

void refuse_waiters(Turn& t, Slot& slot, const Error& error) {
  std::vector<RequestId> waiting;
  waiting.swap(slot.recycle_waits);
  for (const RequestId id : waiting) {
    Request* request = find_request(t, id);
    if (request == nullptr) continue;
    if (slot.phase == Phase::quarantined && !std::holds_alternative<proto::ReleaseParams>(request->params)) {
      looks_again(t, *request);
    } else {
      refuse(t, id, error);
    }
  }
}

void answer_waiters(Turn& t, Slot& slot, const std::optional<std::string>& kept, const std::vector<std::string>& warnings) {
  std::vector<RequestId> waiting;
  waiting.swap(slot.recycle_waits);
  for (const RequestId id : waiting) {
    Request* request = find_request(t, id);
    if (request == nullptr) continue;
    if (!std::holds_alternative<proto::ReleaseParams>(request->params)) {
      looks_again(t, *request);
      continue;
    }
    for (const auto& warning : warnings) warn(t, *request, warning);
    proto::ReleaseResult result;
    result.slot = slot.id.str();
    result.trash_id = kept ? kept : request->trash_id;
    answer(t, id, result);
  }
  if (waiting.empty()) {
    for (const auto& warning : warnings) note(t, 2, slot.id.str() + ": " + warning);
  }
}

void forget_lease(Slot& slot) {
  slot.lease.reset();
  slot.receipt.reset();
  slot.branch.reset();
  slot.sessions.clear();
  slot.attached.clear();
  slot.stays = false;
  slot.look_at.reset();
  slot.judged.reset();
  slot.unconfirmed = false;
  slot.process_group.reset();
  slot.processes_ended = false;
  slot.ends.reset();
  slot.ending = Ending::none;
  slot.trash_id.clear();
  slot.directory_gone = false;
  slot.retry_at.reset();
  slot.orphan_ends.reset();
  slot.attempts = 0;
  slot.facts = SlotFacts{};
  slot.of_own = false;
}

bool must_wait(const Turn& t, const Pool& pool) { return t.host.draining || !pool.ready(); }

// Saving failed is "any other failure" to whoever waited for it, whatever kind the job's error has.
Error waiter_error(const Pool& pool, const Slot& slot, const std::string& why) {
  Error error(ErrorKind::io_error, slot.id.str() + " was released, but could not be recycled and is quarantined: " + why,
              "wtpool repair " + slot.id.str() + " --pool " + proto::shell_word(pool.key.str()));
  error.pool = pool.key.str();
  error.slot = slot.id.str();
  return error;
}

}  // namespace

bool waits_for_upkeep(Request& request, Slot& slot) {
  if (slot.phase != Phase::recycling && slot.phase != Phase::recovering && slot.phase != Phase::making) return false;
  request.stage = Stage::recycling;
  request.slot = slot.id;
  slot.recycle_waits.push_back(request.id);
  return true;
}

void start_recycle(Turn& t, Pool& pool, Slot& slot) {
  slot.phase = Phase::recycling;
  slot.changed = t.host.turn;
  slot.retry_at.reset();
  if (must_wait(t, pool)) {
    slot.retry_at = t.now.awake;
    return;
  }
  ask(t, JobClass::recycling, job::Recycle{*slot.lease, slot.ending_dirty, slot.trash_id}, pool.key, {slot.id});
}

void start_recover(Turn& t, Pool& pool, Slot& slot) {
  slot.phase = Phase::recovering;
  slot.changed = t.host.turn;
  slot.retry_at.reset();
  if (must_wait(t, pool)) {
    slot.retry_at = t.now.awake;
    return;
  }
  const bool end_orphan = slot.orphan_ends && t.now.awake >= *slot.orphan_ends;
  const bool shares =
      slot.facts.intent || slot.facts.entry != SlotFacts::Entry::sound || slot.facts.directory != SlotFacts::Directory::sound;
  ask(t, JobClass::background, job::Recover{slot.facts, end_orphan, slot.of_own}, pool.key, {slot.id}, std::nullopt, shares);
}

void quarantine(Turn& t, Pool& pool, Slot& slot, const std::string& reason, const std::string& doing) {
  if (!pool.ready()) {
    // Nothing in a pool that is away is judged: it is looked at again when it is back.
    if (slot.phase == Phase::recycling || slot.phase == Phase::recovering) slot.retry_at = t.now.awake;
    return;
  }
  const bool leased = slot.lease && slot.phase == Phase::held;
  emit(t, pool, &slot, "quarantined", leased ? &*slot.lease : nullptr, reason);
  if (leased && slot.lease->kind == LeaseKind::process) t.answers.push_back(effect::UnwatchOwner{slot.lease->id});
  note(t, 2, slot.id.str() + " of pool '" + pool.key.str() + "' is quarantined: " + reason);
  slot.phase = Phase::quarantined;
  slot.changed = t.host.turn;
  slot.reason = reason;
  forget_lease(slot);
  pool.unsettled = true;
  ask(t, JobClass::answering, job::Quarantine{reason, doing}, pool.key, {slot.id});
  refuse_waiters(t, slot, waiter_error(pool, slot, reason));  // after the record: who takes the slot away takes that too
}

void became_idle(Turn& t, Pool& pool, Slot& slot, const done::Idle& done) {
  const std::optional<Lease> lease = slot.lease;
  slot.phase = Phase::idle;
  slot.changed = t.host.turn;
  slot.at = done.at;
  slot.tree = done.tree;
  slot.git_id = done.git_id;
  slot.occupied = done.occupied;
  slot.kept_back_from = pool.tip.at;  // it goes along when the tip moves next, and stays where it is until then
  slot.sealed = false;
  slot.seal_at = done.occupied ? after(t.now.awake, t.host.settings.seal_quiet) : t.now.awake;
  slot.reason.clear();
  slot.last_used = t.host.turn;
  if (!done.occupied) slot.verified = t.host.turn;  // whoever is in it may have written since git looked
  forget_lease(slot);
  pool.unsettled = true;
  may_be_had_again(t, pool, slot);
  emit(t, pool, &slot, "recycled", lease ? &*lease : nullptr);
  if (done.kept) emit(t, pool, &slot, "trash_saved", lease ? &*lease : nullptr, *done.kept);
  answer_waiters(t, slot, done.kept, done.warnings);
}

void became_fresh(Turn& t, Pool& pool, Slot& slot) {
  slot.phase = Phase::fresh;
  slot.changed = t.host.turn;
  slot.git_id.clear();
  slot.at.reset();
  slot.tree = Oid{};
  slot.sealed = false;
  slot.occupied = false;
  slot.reason.clear();
  slot.faults = 0;
  forget_lease(slot);
  may_be_had_again(t, pool, slot);
  answer_waiters(t, slot, std::nullopt, {});
}

void upkeep_done(Turn& t, const Job& job, const JobDone& done) {
  Pool& pool = t.host.pools.at(job.pool);
  Slot& slot = pool.slots.at(job.slots.front());
  if (std::holds_alternative<job::Quarantine>(job.spec)) {
    if (slot.phase == Phase::quarantined) slot.retry_at.reset();
  } else if (const auto* idle = std::get_if<done::Idle>(&done)) {
    became_idle(t, pool, slot, *idle);
  } else if (const auto* fresh = std::get_if<done::Fresh>(&done)) {
    const std::optional<Lease> lease = slot.lease;
    if (fresh->kept) emit(t, pool, &slot, "trash_saved", lease ? &*lease : nullptr, *fresh->kept);
    for (const RequestId id : slot.recycle_waits) {
      Request* request = find_request(t, id);
      if (request != nullptr && fresh->kept) request->trash_id = fresh->kept;
    }
    became_fresh(t, pool, slot);
  } else {
    upkeep_failed(t, job, {Fault::host_fault, {ErrorKind::internal, "a job ended without saying how the slot is"}});
  }
}

void upkeep_failed(Turn& t, const Job& job, const JobFailed& failed) {
  Pool& pool = t.host.pools.at(job.pool);
  Slot& slot = pool.slots.at(job.slots.front());
  pool.unsettled = true;
  if (std::holds_alternative<job::Quarantine>(job.spec)) {
    note(t, 3, "the quarantine of " + slot.id.str() + " could not be recorded: " + failed.error.message);
    if (slot.phase == Phase::quarantined) slot.retry_at = after(t.now.awake, kHostFaultAgain);
    return;
  }
  if (t.host.draining) refuse_waiters(t, slot, say::shutting_down());
  const std::string doing = slot.phase == Phase::recycling ? "recycle" : "recover";
  switch (consequence(doing_of(job.spec), failed.fault)) {
    case Consequence::wait_for_lock:
      if (!slot.orphan_ends) slot.orphan_ends = after(t.now.awake, t.host.settings.orphan_patience);
      slot.retry_at = t.now.awake + kBusyAgain;
      return;
    case Consequence::quarantine_slot:
      return quarantine(t, pool, slot, failed.error.message, doing);
    case Consequence::wait_for_host:
      slot.retry_at = after(t.now.awake, kHostFaultAgain);
      refuse_waiters(t, slot, failed.error);
      return;
    case Consequence::count:
      if (++slot.attempts >= kFaultsUntilQuarantine && pool.ready()) {
        return quarantine(t, pool, slot, failed.error.message, doing);
      }
      slot.retry_at = after(t.now.awake, kFaultAgain);
      return;
    case Consequence::tell:
    case Consequence::try_again:
    case Consequence::pass_over:
    case Consequence::set_aside:
    case Consequence::degrade:
      slot.retry_at = after(t.now.awake, kFaultAgain);
      return;
  }
}

void lease_begins(Turn& t, Slot& slot) {
  slot.ends = time_to_live(slot, t.now);
  if (slot.lease->kind == LeaseKind::process && slot.lease->owner) {
    t.answers.push_back(effect::WatchOwner{slot.lease->id, *slot.lease->owner});
  }
}

void try_later(Turn& t, Slot& slot) { slot.retry_at = t.now.awake + kOfferAgain; }

void pass_over(Turn& t, Pool& pool, Slot& slot) {
  try_later(t, slot);
  for (const auto* list : {&pool.queue, &pool.waiting}) {
    for (const RequestId id : *list) find_request(t, id)->acquire.passed.insert(slot.id);
  }
}

void may_be_had_again(Turn& t, Pool& pool, Slot& slot) {
  for (const auto* list : {&pool.queue, &pool.waiting}) {
    for (const RequestId id : *list) {
      Acquiring& acquire = find_request(t, id)->acquire;
      acquire.passed.erase(slot.id);
      acquire.set_aside.erase(slot.id);
    }
  }
  pool.unsettled = true;
}

}  // namespace wtpool::core
