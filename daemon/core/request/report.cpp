// What people ask to see. Reports change nothing.
#include "daemon/core/request/report.hpp"

#include <algorithm>
#include <utility>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/pool/choose.hpp"
#include "daemon/core/pool/load.hpp"
#include "daemon/core/rules/locate.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"

namespace wtpool::core {
namespace {

SlotState shown(Phase phase) {
  switch (phase) {
    case Phase::fresh:
      return SlotState::fresh;
    case Phase::idle:
      return SlotState::idle;
    case Phase::acquiring:
      return SlotState::acquiring;
    case Phase::held:
    case Phase::releasing:
      return SlotState::held;
    case Phase::making:
    case Phase::recycling:
    case Phase::recovering:
    case Phase::removing:
      return SlotState::recycling;
    case Phase::repairing:
    case Phase::quarantined:
      return SlotState::quarantined;
  }
  return SlotState::fresh;
}

// A source that is back is seen at once; what else keeps a pool away passes by itself, or takes long to ask.
bool tried_again(Turn& t, Request& request) {
  if (std::exchange(request.reload_tried, true)) return false;
  bool any = false;
  for (auto& [key, pool] : t.host.pools) {
    if (!pool.present || !pool.unavailable || pool.unavailable->kind != ErrorKind::source_missing) continue;
    load_pool(t, pool);
    any = true;
  }
  return any;
}

// Leases may be held in what is missing from the list.
void warn_of_unlisted(Turn& t, const Request& request) {
  for (const auto& [key, pool] : t.host.pools) {
    if (pool.ready()) continue;
    const Error away =
        say::pool_unavailable(key, "its .meta/config.yaml is not there, or its directory is on another device than before");
    warn(t, request,
         "pool '" + key.str() + "' is not listed: " + (pool.present && pool.unavailable ? *pool.unavailable : away).message);
  }
}

const proto::Scope& scope_of_list(const Request& request) {
  if (const auto* list = std::get_if<proto::SlotListParams>(&request.params)) return list->scope;
  return std::get<proto::SubscribeParams>(request.params).scope;
}

// What a report calls held: the lease is whole, its end not committed.
bool is_held(const Slot& slot) { return slot.phase == Phase::held || slot.phase == Phase::releasing; }

}  // namespace

std::optional<std::vector<PoolKey>> listed_pools(Turn& t, Request& request, const proto::Scope& scope) {
  if (!scope.pool) {
    for (const auto& [key, pool] : t.host.pools) {
      if (pool.loading()) {
        request.stage = Stage::parked;
        return std::nullopt;
      }
    }
    if (!infer_pool(t.host, scope)) {
      if (tried_again(t, request)) {
        request.stage = Stage::parked;
        return std::nullopt;
      }
      warn_of_unlisted(t, request);
      std::vector<PoolKey> all;
      for (const auto& [key, pool] : t.host.pools) {
        if (pool.ready()) all.push_back(key);
      }
      return all;
    }
  }
  const Choice choice = choose_pool(t, request, scope);
  if (const auto* error = std::get_if<Error>(&choice)) {
    refuse(t, request.id, *error);
    return std::nullopt;
  }
  if (std::holds_alternative<Park>(choice)) {
    request.stage = Stage::parked;
    return std::nullopt;
  }
  Pool& pool = t.host.pools.at(std::get<PoolKey>(choice));
  if (pool.bad_config) warn(t, request, *pool.bad_config);
  return std::vector<PoolKey>{pool.key};
}

proto::SlotInfo slot_info(const Pool& pool, const Slot& slot, Now now) {
  proto::SlotInfo info;
  info.pool = pool.key.str();
  info.slot = slot.id.str();
  info.group = slot.group;
  info.path = slot_path(pool, slot.id);
  info.state = shown(slot.phase);
  info.sealed = slot.sealed;
  info.sessions = 0;
  if (info.state == SlotState::quarantined) info.reason = slot.reason;
  if (slot.at && info.state != SlotState::fresh) info.full_sha = slot.at->str();
  const bool leased = info.state == SlotState::held || info.state == SlotState::acquiring;
  if (!leased || !slot.lease) return info;
  const Lease& lease = *slot.lease;
  info.name = lease.name;
  info.branch = slot.branch;
  info.full_sha = lease.full_sha.str();
  info.started_at = lease.started_at;
  info.held_seconds = std::max<std::int64_t>(0, now.wall - lease.started_at);
  proto::LeaseInfo about;
  about.id = lease.id.str();
  about.kind = lease.kind;
  if (lease.ttl) about.ttl_seconds = lease.ttl->count();
  if (slot.ends) about.expires_at = now.wall + std::chrono::duration_cast<seconds>(*slot.ends - now.awake).count();
  if (lease.owner) about.owner_pid = lease.owner->pid;
  info.lease = std::move(about);
  info.sessions = static_cast<std::int64_t>(slot.attached.size());
  return info;
}

proto::PoolInfo pool_info(const Host& host, const Pool& pool) {
  proto::PoolInfo info;
  info.pool = pool.key.str();
  info.available = pool.ready();
  if (pool.config) {
    info.source = pool.config->source;
    info.max_slots = pool.config->max_slots;
    info.groups = pool.config->groups;
  }
  if (pool.place) {
    info.url = pool.place->url;
    info.managed = pool.place->url.has_value();
    const auto source = host.sources.find(pool.place->source);
    if (source != host.sources.end()) info.fetched_at = source->second.fetched_at;
  }
  for (const SlotState state : {SlotState::fresh, SlotState::idle, SlotState::acquiring, SlotState::held, SlotState::recycling,
                                SlotState::quarantined}) {
    info.slots[std::string(proto::to_text(state))] = 0;
  }
  for (const auto& [id, slot] : pool.slots) ++info.slots[std::string(proto::to_text(shown(slot.phase)))];
  return info;
}

void begin_list(Turn& t, Request& request) {
  const auto pools = listed_pools(t, request, scope_of_list(request));
  if (!pools) return;
  const auto* params = std::get_if<proto::SlotListParams>(&request.params);
  if (params == nullptr || !params->git_status) return finish_list(t, request);
  for (const PoolKey& key : *pools) {
    const Pool& pool = t.host.pools.at(key);
    job::GitStatus look{key, {}, false};
    for (const Slot* slot : slots_in_order(pool)) {
      const bool stands = is_held(*slot) || slot->phase == Phase::idle || slot->phase == Phase::recycling;
      if (stands && !slot->git_id.empty() && !slot->directory_gone)
        look.slots.push_back({slot->id, slot->git_id, is_held(*slot) ? slot->lease : std::nullopt});
    }
    if (look.slots.empty()) continue;
    request.stage = Stage::running;
    request.jobs.insert(ask(t, JobClass::answering, std::move(look), key, {}, request.id));
  }
  if (request.jobs.empty()) finish_list(t, request);
}

void finish_list(Turn& t, Request& request) {
  const auto& scope = scope_of_list(request);
  const std::optional<PoolKey> one = scope.pool ? std::optional(PoolKey(*scope.pool)) : infer_pool(t.host, scope);
  proto::SlotListResult result;
  for (const auto& [key, pool] : t.host.pools) {
    if ((one && key != *one) || !pool.ready()) continue;
    for (const Slot* slot : slots_in_order(pool)) {
      proto::SlotInfo info = slot_info(pool, *slot, t.now);
      const auto git = request.git.find({key, slot->id});
      if (git != request.git.end()) info.git = git->second;
      result.slots.push_back(std::move(info));
    }
  }
  answer(t, request.id, std::move(result));
}

void begin_inspect(Turn& t, Request& request, Pool& pool) {
  const auto& params = std::get<proto::SlotInspectParams>(request.params);
  const Found found = locate(pool, params.target, params.scope.cwd);
  if (found.slot == nullptr) {
    if (found.by_path) return refuse(t, request.id, say::path_in_no_slot(pool, "inspect", found.asked));
    if (params.target.slot || parse_slot_id(found.asked)) return refuse(t, request.id, say::slot_unknown(pool, found.asked));
    if (found.by_slot || found.asked.empty()) return refuse(t, request.id, say::in_no_slot(pool, "inspect"));
    return refuse(t, request.id, say::not_held(pool, found.asked));
  }
  answer(t, request.id, slot_info(pool, *found.slot, t.now));
}

// The directory that the caller stands in, or what is named.
void begin_locate(Turn& t, Request& request) {
  if (any_loading(t.host)) return park(request);
  const auto& params = std::get<proto::LocateParams>(request.params);
  const auto& target = params.target;
  const bool named = target.target || target.name || target.slot || target.lease_id;
  proto::LocateResult result;
  result.where = "none";
  for (auto& [key, pool] : t.host.pools) {
    if (!pool.ready() || (named && params.scope.pool && *params.scope.pool != key.str())) continue;
    const Found found = locate(pool, target, params.scope.cwd);
    const auto& worktree = pool.place->worktree;
    if (found.slot != nullptr && found.slot->phase != Phase::fresh) {
      const Slot& slot = *found.slot;
      result.where = "slot";
      result.path = slot_path(pool, slot.id);
      result.slot = slot.id.str();
      if (is_held(slot)) {
        result.name = slot.lease->name;
        result.branch = slot.branch;
        result.lease_id = slot.lease->id.str();
        result.key = slot.lease->key;
        result.base = slot.lease->branch_base.value_or(slot.lease->full_sha).str();
      }
    } else if (!named && params.scope.cwd && worktree && inside(*params.scope.cwd, *worktree)) {
      result.where = "source";
      result.path = *worktree;
    } else {
      continue;
    }
    result.source = pool.config->source;
    result.pool = key.str();
    result.target = pool.config->default_commit;
    if (result.where == "slot") break;  // a pool's slots may stand below a source's working tree
  }
  if (named && result.where == "none") return refuse(t, request.id, {ErrorKind::not_held, "no slot is held so", "wtpool ls"});
  answer(t, request.id, std::move(result));
}

void begin_path(Turn& t, Request& request, Pool& pool) {
  const auto& params = std::get<proto::SlotPathParams>(request.params);
  const Found found = locate(pool, params.target, params.scope.cwd);
  // Nothing is said of what is not held: scripts test the exit code, and both streams stay empty.
  if (found.slot == nullptr || !is_held(*found.slot)) return refuse(t, request.id, {ErrorKind::not_held, ""});
  answer(t, request.id, proto::SlotPathResult{slot_path(pool, found.slot->id)});
}

}  // namespace wtpool::core
