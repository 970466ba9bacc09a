// An acquire until it has a slot: checks before git is asked, resolving, checks after, and the granting of a slot.
#include "daemon/core/lease/acquire.hpp"

#include <algorithm>
#include <utility>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/lease/acquire_outcome.hpp"
#include "daemon/core/lease/queue.hpp"
#include "daemon/core/rules/placement.hpp"
#include "daemon/core/slot/upkeep.hpp"
#include "daemon/core/source/fetch.hpp"
#include "daemon/core/source/tip.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"
#include "daemon/core/store/deps.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::core {
namespace {

std::optional<Error> check_group(const Pool& pool, const proto::AcquireParams& params) {
  const auto& groups = pool.config->groups;
  if (groups.empty()) {
    if (params.group) return say::group_refused(pool, *params.group);
    return std::nullopt;
  }
  if (!params.group) {
    if (groups.size() > 1) return say::group_wanted(pool, params.name);
    return std::nullopt;
  }
  if (std::find(groups.begin(), groups.end(), *params.group) == groups.end()) return say::group_unknown(pool, *params.group);
  return std::nullopt;
}

bool is_slot_id_of(const Pool& pool, const std::string& name) {
  const auto parts = parse_slot_id(name);
  if (!parts) return false;
  const auto& groups = pool.config->groups;
  if (groups.empty()) return !parts->group;
  return parts->group && std::find(groups.begin(), groups.end(), *parts->group) != groups.end();
}

std::optional<Error> check_owner(const Request& request, const proto::AcquireParams& params) {
  if (params.owner_pid && !request.owner) {
    return Error{ErrorKind::invalid_params, "owner_pid: there is no process " + std::to_string(*params.owner_pid)};
  }
  if (params.lease_kind == LeaseKind::process && !request.owner) {
    return Error{ErrorKind::invalid_params, "lease_kind: a process lease needs owner_pid"};
  }
  if (params.ttl_seconds && *params.ttl_seconds <= 0) return Error{ErrorKind::invalid_params, "ttl_seconds: must be above 0"};
  if (params.key && params.key->empty()) return Error{ErrorKind::invalid_params, "key: must not be empty"};
  if (params.resume && params.replace) return Error{ErrorKind::invalid_params, "resume: not together with replace"};
  if (params.reuse && params.replace) return Error{ErrorKind::invalid_params, "reuse: not together with replace"};
  return std::nullopt;
}

std::optional<Error> no_longer_ready(const Pool& pool) {
  if (pool.removing) return say::pool_unavailable(pool.key, "it is being removed");
  if (pool.ready()) return std::nullopt;
  return pool.unavailable.value_or(say::pool_unavailable(pool.key, "its directory is not there"));
}

LeaseKind kind_wanted(const Request& request, const proto::AcquireParams& params) {
  return params.lease_kind.value_or(request.owner ? LeaseKind::process : LeaseKind::durable);
}

Lease make_lease(const Turn& t, const Request& request, const Pool& pool, const Slot& slot) {
  const auto& params = std::get<proto::AcquireParams>(request.params);
  Lease lease;
  lease.id = request.lease_id;
  lease.name = params.name;
  lease.kind = kind_wanted(request, params);
  lease.started_at = t.now.wall;
  lease.full_sha = request.acquire.full_sha;
  if (request.acquire.plan.mode != job::BranchMode::resume) lease.branch_base = lease.full_sha;
  lease.group = slot.group;
  lease.key = params.key;
  if (params.ttl_seconds) {
    lease.ttl = seconds(*params.ttl_seconds);
  } else if (lease.kind == LeaseKind::durable) {
    lease.ttl = pool.config->ttl ? pool.config->ttl : t.host.settings.default_ttl;
  }
  lease.owner = request.owner;
  return lease;
}

}  // namespace

void begin_acquire(Turn& t, Request& request, Pool& pool) {
  auto& params = std::get<proto::AcquireParams>(request.params);
  if (is_slot_id_of(pool, params.name)) return refuse(t, request.id, say::name_is_slot_id(params.name));
  if (auto error = check_group(pool, params)) return refuse(t, request.id, std::move(*error));
  if (auto error = check_owner(request, params)) return refuse(t, request.id, std::move(*error));
  if (!params.group && pool.config->groups.size() == 1) params.group = pool.config->groups.front();
  bool given_back = false;
  if (auto error = check_name(t, request, pool, false, given_back)) return refuse(t, request.id, std::move(*error));
  if (given_back) return;
  // The branch that a dead daemon left is nobody's: it is on its way out, or back to where it was.
  if (Slot* slot = recovering_from(pool, params.name); slot != nullptr && waits_for_upkeep(request, *slot)) return;

  request.acquire = Acquiring{};  // one that had joined another begins anew
  request.acquire.plan.request = request.id;
  request.acquire.plan.exclude_submodule_tags = params.exclude_submodule_tags;
  if (params.slot) request.acquire.only = SlotId(*params.slot);
  if (request.deps_asked) return resolve(t, request, pool);
  if (needs_news(t, request, pool)) return join_fetch(t, request, pool);
  request.acquire.last_try = pool.config->fetch.when == FetchPolicy::When::never;
  resolve(t, request, pool);
}

std::optional<Error> check_name(Turn& t, Request& request, Pool& pool, bool commit_known, bool& given_back) {
  const auto& params = std::get<proto::AcquireParams>(request.params);
  Slot* slot = holder_of_name(pool, params.name);
  if (slot == nullptr) {
    // Pools of one source share its branches.
    for (auto& [key, other] : t.host.pools) {
      if (&other == &pool || !other.place || other.place->source != pool.place->source) continue;
      if (const Slot* holder = holder_of_name(other, params.name)) return say::name_held_elsewhere(pool, other, *holder);
    }
    return std::nullopt;
  }
  // One that ends in another way is not what was asked for.
  const bool ends_alike = slot->lease->kind == kind_wanted(request, params) &&
                          (slot->lease->kind != LeaseKind::process || slot->lease->owner == request.owner);
  const bool lasts = ends_alike && slot->phase != Phase::releasing && slot->ending == Ending::none;
  const bool same_key = params.key && slot->lease->key == params.key && lasts;
  const bool reused = params.reuse && lasts && (!params.group || params.group == slot->group);
  if (!same_key && !reused) return say::name_held(pool, *slot, t.now);
  if (params.commit && !commit_known) return std::nullopt;       // whether it is the same commit is known when it is resolved
  const bool comparable = slot->lease->branch_base.has_value();  // a resumed branch stands at its own tip, whatever was asked
  if (params.commit && commit_known && comparable && slot->lease->full_sha != request.acquire.full_sha) {
    return say::name_held(pool, *slot, t.now);
  }
  given_back = true;
  if (slot->phase == Phase::held) {
    give_back(t, request.id, pool, *slot);
    return std::nullopt;
  }
  Request* leader = slot->acquire ? find_request(t, *slot->acquire) : nullptr;
  if (leader == nullptr || leader->id == request.id) {
    given_back = false;
    return say::name_held(pool, *slot, t.now);
  }
  leave_queue(t, request);
  request.stage = Stage::following;
  request.leader = leader->id;
  leader->followers.push_back(request.id);
  return std::nullopt;
}

void resolved(Turn& t, Request& request, const done::Resolved& facts) {
  if (!t.host.pools.contains(request.pool)) return refuse(t, request.id, say::pool_unknown(t.host, request.pool));
  Pool& pool = t.host.pools.at(request.pool);
  const auto& params = std::get<proto::AcquireParams>(request.params);
  if (auto error = no_longer_ready(pool)) return refuse(t, request.id, std::move(*error));
  Acquiring& acquire = request.acquire;
  acquire.resolved = facts;
  acquire.plan.mode = job::BranchMode::create;
  acquire.plan.branch_tip.reset();
  const bool resumes = (params.resume || params.reuse) && facts.branch_tip;
  if (!facts.commit && !(resumes && !params.commit)) {
    if (!acquire.last_try) return join_fetch(t, request, pool);
    Error unknown =
        acquire.fetch_error.value_or(say::commit_unknown(pool, params.commit.value_or(pool.config->default_commit)));
    if (facts.tracking_name) unknown.hint = say::acquire_at(pool, params.name, *facts.tracking_name);
    return refuse(t, request.id, std::move(unknown));
  }
  acquire.full_sha = facts.commit.value_or(Oid{});
  if (!params.commit && acquire.full_sha != pool.tip.at) tip_may_have_moved(t, pool);

  bool given_back = false;
  if (auto error = check_name(t, request, pool, true, given_back)) return refuse(t, request.id, std::move(*error));
  if (given_back) return;
  if (Slot* slot = recovering_from(pool, params.name); slot != nullptr && waits_for_upkeep(request, *slot)) return;

  if (facts.checked_out_at) {
    return refuse(t, request.id, say::branch_checked_out(pool, params.name, *facts.checked_out_at));
  }
  if (facts.branch_conflict) return refuse(t, request.id, say::branch_conflict(pool, params.name, *facts.branch_conflict));
  if (facts.branch_tip) {
    if (!params.resume && !params.replace && !params.reuse) return refuse(t, request.id, say::branch_exists(pool, params.name));
    acquire.plan.branch_tip = facts.branch_tip;
    acquire.plan.mode = params.replace ? job::BranchMode::replace : job::BranchMode::resume;
  }
  if (acquire.plan.mode == job::BranchMode::resume) {
    if (acquire.full_sha != *facts.branch_tip) acquire.resolved.tree = Oid{};
    acquire.full_sha = *facts.branch_tip;
  }
  if (facts.remote_branch && !facts.branch_tip) {
    warn(t, request,
         "'" + params.name + "' is a new branch of its own, not the remote branch of that name (--commit " + params.name +
             " begins at that)");
  }
  if (facts.tracking_name && !params.commit && !facts.branch_tip && !facts.remote_branch) {
    warn(t, request,
         "'" + params.name + "' is a new branch at the default commit, and the remote has one of that name: " +
             say::acquire_at(pool, params.name, *facts.tracking_name) + " begins at that");
  }
  if (waits_for_deps(t, request, facts)) return;
  acquire.ticket = t.host.next_ticket++;
  place(t, request.id);
}

// Tries at once, after those who wait since before it came. One that lost its slot comes back with the ticket it had.
void place(Turn& t, RequestId id) {
  Request* request = find_request(t, id);
  if (request == nullptr) return;
  Pool& pool = t.host.pools.at(request->pool);
  for (const RequestId earlier : std::vector<RequestId>(pool.queue)) {
    Request* other = find_request(t, earlier);
    if (other == nullptr || other->acquire.ticket > request->acquire.ticket || other == request) continue;
    // A lock that they are waiting for is not had before them.
    request->acquire.passed.insert(other->acquire.passed.begin(), other->acquire.passed.end());
    (void)try_place(t, *other, pool);
  }
  pool.unsettled = true;
  if (try_place(t, *request, pool) != Placed::blocked) return;
  wait_or_refuse(t, *request, pool);
}

Placed try_place(Turn& t, Request& request, Pool& pool) {
  const auto& params = std::get<proto::AcquireParams>(request.params);
  bool given_back = false;
  if (auto error = check_name(t, request, pool, true, given_back)) {
    leave_queue(t, request);
    refuse(t, request.id, std::move(*error));
    return Placed::gone;
  }
  if (given_back) return Placed::gone;
  Acquiring& acquire = request.acquire;
  if (params.unique_sha && holder_of_commit(pool, acquire.full_sha) != nullptr) return Placed::blocked;
  Slot* slot = best_slot(t.host, pool, params.group, acquire);
  if (slot == nullptr) return Placed::blocked;

  leave_queue(t, request);
  slot->fresh_made = slot->phase == Phase::fresh;
  slot->phase = Phase::acquiring;
  slot->changed = t.host.turn;
  slot->lease = make_lease(t, request, pool, *slot);
  slot->acquire = request.id;
  request.slot = slot->id;
  request.stage = Stage::placed;
  acquire.plan.lease = *slot->lease;
  acquire.plan.fresh = slot->fresh_made;
  acquire.plan.verified = slot->verified == t.host.turn ? slot->at : std::nullopt;
  acquire.plan.sealed = std::exchange(slot->sealed, false);  // the job takes the seal
  acquire.plan.verify = params.verify;
  acquire.plan.prepares = params.prepares;
  acquire.plan.restock = params.restock || pool.config->restock;
  slot->watches = 0;
  note_change(t, request);
  const JobId job = ask(t, JobClass::answering, acquire.plan, pool.key, {slot->id}, request.id, slot->fresh_made);
  t.host.jobs.at(job).deadline = request.deadline;
  request.jobs.insert(job);
  return Placed::placed;
}

}  // namespace wtpool::core
