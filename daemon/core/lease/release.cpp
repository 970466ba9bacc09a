// The end of a lease, asked for or by its own rule, up to the durable marker `releasing`.
#include "daemon/core/lease/release.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/lease/cancel.hpp"
#include "daemon/core/rules/consequences.hpp"
#include "daemon/core/rules/locate.hpp"
#include "daemon/core/slot/upkeep.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"

namespace wtpool::core {
namespace {

constexpr seconds kAgain{2};  // an end by rule that failed is tried again
constexpr seconds kAgainMost{60};

const char* event_of(Ending ending) {
  switch (ending) {
    case Ending::expired:
      return "expired";
    case Ending::rolled_back:
      return "rolled_back";
    case Ending::none:
    case Ending::released:
      break;
  }
  return "released";
}

// A connection lease that its key gave to several ends with the last of them: who is done before that only leaves it.
bool leaves_it_to_others(const Request& request, Slot& slot) {
  if (slot.phase != Phase::held || slot.ending != Ending::none || slot.lease->kind != LeaseKind::connection) return false;
  return slot.sessions.size() > 1 && slot.sessions.erase(request.session) > 0;
}

// Who swept it is told what became of it.
void tell_sweep(Turn& t, const Pool& pool, Slot& slot, const std::optional<std::string>& kept, const std::string& why_not) {
  if (!slot.judged) return;
  const auto sweep = slot.judged->sweep;
  slot.judged.reset();
  Request* request = sweep ? find_request(t, *sweep) : nullptr;
  if (request == nullptr || !request->sweeping) return;
  for (auto& row : request->sweeping->rows) {
    if (row.pool != pool.key.str() || row.slot != slot.id.str()) continue;
    row.released = why_not.empty();
    row.trash_id = kept;
    if (!why_not.empty()) row.reason = why_not;
  }
  request->sweeping->releasing.erase({pool.key, slot.id});
  t.again.push_back(*sweep);
}

void join_release(Request& request, Slot& slot) {
  request.stage = Stage::releasing;
  request.slot = slot.id;
  slot.releases.push_back(request.id);
}

void lease_is_over(Turn& t, Slot& slot) {
  if (slot.lease->kind == LeaseKind::process) t.answers.push_back(effect::UnwatchOwner{slot.lease->id});
  slot.sessions.clear();
  slot.attached.clear();
  slot.stays = false;
  slot.look_at.reset();
  slot.unconfirmed = false;
  slot.process_group.reset();
  slot.processes_ended = false;
  slot.ends.reset();
  slot.receipt.reset();
  slot.branch.reset();
  slot.ending = Ending::none;
}

}  // namespace

void begin_release(Turn& t, Request& request, Pool& pool) {
  const auto& params = std::get<proto::ReleaseParams>(request.params);
  Found found = locate(pool, params.target, params.scope.cwd);
  // Said of no slot, it is the caller's own that is meant.
  if (found.slot == nullptr && !names_one(params.target)) found.slot = slot_of_lease(pool, params.held_by);
  if (found.slot == nullptr) {
    const bool said = params.held_by || params.target.target || params.target.name || params.target.slot ||
                      params.target.lease_id || params.lease_id;
    if (!said) {
      return refuse(t, request.id, say::in_no_slot(pool, "release"));
    }
    if (found.by_path) return refuse(t, request.id, say::path_in_no_slot(pool, "release", found.asked));
    if (const auto near = say::near_names(pool, found.asked); !near.empty()) warn(t, request, near);
    proto::ReleaseResult already;
    already.already = true;
    return answer(t, request.id, already);
  }
  Slot& slot = *found.slot;
  const std::optional<std::string> wanted = params.lease_id ? params.lease_id : params.target.lease_id;
  switch (slot.phase) {
    case Phase::quarantined:
    case Phase::repairing:
      return refuse(t, request.id, say::quarantined(pool, slot));
    case Phase::fresh:
    case Phase::idle:
    case Phase::making:
    case Phase::recycling:
    case Phase::recovering:
    case Phase::removing: {
      // Whoever gives the path of what he holds must not hear that all is done when it is another slot's.
      if (found.by_path) return refuse(t, request.id, say::path_not_held(pool, slot, "release", found.asked));
      proto::ReleaseResult already;
      already.already = true;
      already.slot = slot.id.str();
      return answer(t, request.id, already);
    }
    case Phase::acquiring:
    case Phase::held:
    case Phase::releasing:
      break;
  }
  if ((wanted && slot.lease->id.str() != *wanted) || (!wanted && is_anothers(t.host, slot, params.held_by)))
    return refuse(t, request.id, say::held_by_another(pool, slot, "cannot release " + slot.id.str()));
  if (slot.phase == Phase::acquiring) {
    return refuse(t, request.id, say::busy(pool, slot, "acquired for '" + slot.lease->name + "'"));
  }
  if (leaves_it_to_others(request, slot)) {
    proto::ReleaseResult left;
    left.slot = slot.id.str();
    return answer(t, request.id, left);
  }
  note_change(t, request);
  join_release(request, slot);
  if (slot.phase == Phase::releasing) return;
  slot.ending_dirty = params.dirty.value_or(pool.config->on_dirty);
  slot.ending_keeps_branch = params.keep_branch;
  if (slot.ending == Ending::none) slot.ending = Ending::released;
  start_release(t, pool, slot);
}

void end_lease(Turn& t, Pool& pool, Slot& slot, Ending ending) {
  if (slot.phase != Phase::held || slot.ending != Ending::none) return;
  slot.ending = ending;
  slot.ending_dirty = Dirty::save;
  slot.ending_keeps_branch = false;
  if (!pool.ready()) {
    slot.retry_at = t.now.awake;
    return;
  }
  start_release(t, pool, slot);
}

void start_release(Turn& t, Pool& pool, Slot& slot) {
  slot.phase = Phase::releasing;
  slot.changed = t.host.turn;
  slot.retry_at.reset();
  if (slot.lease->kind == LeaseKind::connection && !slot.processes_ended) {
    ask(t, JobClass::ending, job::EndProcesses{slot.lease->id, slot.process_group}, pool.key, {slot.id});
    return;
  }
  job::Release spec;
  spec.lease = *slot.lease;
  spec.lease.keep_branch = slot.ending_keeps_branch;
  spec.dirty = slot.ending_dirty;
  if (slot.judged && slot.releases.empty()) spec.only_if = slot.judged->ids;
  std::optional<RequestId> asked;
  if (!slot.releases.empty()) {
    asked = slot.releases.front();
    spec.request = *asked;
    const auto& params = std::get<proto::ReleaseParams>(find_request(t, *asked)->params);
    spec.caller_pids = params.caller_pids;
  }
  ask(t, JobClass::answering, std::move(spec), pool.key, {slot.id}, asked, slot.directory_gone);
}

void processes_ended(Turn& t, const Job& job, const std::optional<JobFailed>& failed) {
  Pool& pool = t.host.pools.at(job.pool);
  Slot& slot = pool.slots.at(job.slots.front());
  if (failed) return release_failed(t, job, *failed);
  slot.processes_ended = true;
  start_release(t, pool, slot);
}

void release_done(Turn& t, const Job& job, const done::Released& done) {
  Pool& pool = t.host.pools.at(job.pool);
  Slot& slot = pool.slots.at(job.slots.front());
  emit(t, pool, &slot, event_of(slot.ending), &*slot.lease);
  if (done.kept) emit(t, pool, &slot, "trash_saved", &*slot.lease, *done.kept);
  tell_sweep(t, pool, slot, done.kept, {});
  lease_is_over(t, slot);
  slot.trash_id = done.trash_id;
  slot.attempts = 0;
  slot.changed = t.host.turn;
  slot.phase = Phase::recycling;
  pool.unsettled = true;

  std::vector<RequestId> asked;
  asked.swap(slot.releases);
  for (const RequestId id : asked) {
    Request* request = find_request(t, id);
    if (request == nullptr) continue;
    for (const auto& warning : done.warnings) warn(t, *request, warning);
    const auto& params = std::get<proto::ReleaseParams>(request->params);
    if (params.delete_remote) ask(t, JobClass::network, job::DeleteRemote{pool.key, slot.lease->name}, pool.key);
    const bool waits = params.wait && !done.entry_gone && request->stop == Stop::none;
    if (waits && t.host.draining) {
      refuse(t, id, say::shutting_down());
      continue;
    }
    if (waits) {
      request->stage = Stage::recycling;
      request->trash_id = done.kept;
      slot.recycle_waits.push_back(id);
      proto::Progress progress;
      progress.phase = "recycling";
      tell(t, *request, std::move(progress));
      continue;
    }
    proto::ReleaseResult result;
    result.slot = slot.id.str();
    result.trash_id = done.kept;
    answer(t, id, result);
  }
  if (done.entry_gone) {
    became_fresh(t, pool, slot);
    if (done.files_left)
      quarantine(t, pool, slot, "its worktree entry is gone, and files are left in its directory", "release");
  } else {
    start_recycle(t, pool, slot);
  }
}

void release_failed(Turn& t, const Job& job, const JobFailed& failed) {
  Pool& pool = t.host.pools.at(job.pool);
  Slot& slot = pool.slots.at(job.slots.front());
  slot.phase = Phase::held;
  slot.changed = t.host.turn;
  slot.processes_ended = false;  // more may be started until it is tried again
  const bool judged = slot.judged.has_value();
  tell_sweep(t, pool, slot, std::nullopt, failed.error.message);
  std::vector<RequestId> asked;
  asked.swap(slot.releases);
  const Consequence then = consequence(doing_of(job.spec), failed.fault);
  const bool quarantines = then == Consequence::quarantine_slot && pool.ready();
  std::vector<RequestId> still_want;
  for (const RequestId id : asked) {
    Request* request = find_request(t, id);
    if (request == nullptr) continue;
    if (request->stop != Stop::none) {
      refuse(t, id, stop_error(*request, "the release of " + slot.id.str()));
    } else if (t.host.draining && failed.fault == Fault::cancelled) {
      refuse(t, id, say::shutting_down());
    } else if (then == Consequence::try_again || (judged && !quarantines)) {
      still_want.push_back(id);
    } else {
      refuse(t, id, failed.error);
    }
  }
  if (quarantines) {
    lease_is_over(t, slot);
    return quarantine(t, pool, slot, failed.error.message, "release");
  }
  if (!still_want.empty()) {
    slot.releases = std::move(still_want);
    return start_release(t, pool, slot);
  }
  if (slot.ending == Ending::released) {
    slot.ending = Ending::none;
  } else {
    slot.ending_dirty = Dirty::save;  // whatever the release that failed was asked
    ++slot.attempts;
    slot.retry_at = after(t.now.awake, std::min(kAgain * slot.attempts, kAgainMost));
    note(t, 2, "the ended lease of " + slot.id.str() + " could not be released yet: " + failed.error.message);
  }
  pool.unsettled = true;
}

}  // namespace wtpool::core
