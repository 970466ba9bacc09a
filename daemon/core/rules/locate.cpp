// Which pool and which slot a request means.
#include "daemon/core/rules/locate.hpp"

#include <algorithm>

#include "daemon/core/rules/placement.hpp"

namespace wtpool::core {

bool inside(const std::string& path, const std::string& root) {
  if (root.empty() || path.compare(0, root.size(), root) != 0) return false;
  return path.size() == root.size() || root.back() == '/' || path[root.size()] == '/';
}

std::optional<PoolKey> infer_pool(const Host& host, const proto::Scope& scope) {
  if (scope.cwd) {
    for (const auto& [key, pool] : host.pools) {
      if (inside(*scope.cwd, host.settings.root + "/" + key.str()) || (pool.place && inside(*scope.cwd, pool.place->root))) {
        return key;
      }
    }
    const PoolKey* of_source = nullptr;
    std::size_t candidates = 0;
    for (const auto& [key, pool] : host.pools) {
      if (!pool.place) continue;
      if ((pool.place->worktree && inside(*scope.cwd, *pool.place->worktree)) || inside(*scope.cwd, pool.place->source.str())) {
        of_source = &key;
        ++candidates;
      }
    }
    if (candidates == 1) return *of_source;
  }
  if (host.pools.size() == 1) return host.pools.begin()->first;
  return std::nullopt;
}

namespace {

bool is_leased(const Slot& slot) {
  return slot.lease && (slot.phase == Phase::acquiring || slot.phase == Phase::held || slot.phase == Phase::releasing);
}

bool has_lease(const Slot& slot, const std::string& lease) { return is_leased(slot) && slot.lease->id.str() == lease; }

}  // namespace

bool names_one(const proto::Target& target) { return target.target || target.name || target.slot || target.lease_id; }

Slot* slot_of_lease(Pool& pool, const std::optional<std::string>& lease) {
  if (!lease) return nullptr;
  for (auto& [id, slot] : pool.slots) {
    if (has_lease(slot, *lease)) return &slot;
  }
  return nullptr;
}

bool lives(const Host& host, const std::string& lease) {
  for (const auto& [key, pool] : host.pools) {
    for (const auto& [id, slot] : pool.slots) {
      if (has_lease(slot, lease)) return true;
    }
  }
  return false;
}

bool is_anothers(const Host& host, const Slot& slot, const std::optional<std::string>& held_by) {
  return held_by && slot.lease && slot.lease->id.str() != *held_by && !lives(host, *held_by);
}

Found locate(Pool& pool, const proto::Target& target, const std::optional<std::string>& cwd) {
  Found found;
  const auto by_slot = [&](const std::string& text) {
    const auto place = pool.slots.find(SlotId(text));
    if (place != pool.slots.end()) found.slot = &place->second;
    found.by_slot = true;
  };
  const auto by_name = [&](const std::string& name) { found.slot = holder_of_name(pool, name); };
  if (target.lease_id) {
    found.asked = *target.lease_id;
    found.slot = slot_of_lease(pool, target.lease_id);
  } else if (target.name) {
    found.asked = *target.name;
    by_name(*target.name);
  } else if (target.slot) {
    found.asked = *target.slot;
    by_slot(*target.slot);
  } else if (target.target) {
    found.asked = *target.target;
    if (pool.slots.contains(SlotId(*target.target))) {
      by_slot(*target.target);
    } else {
      by_name(*target.target);
    }
  } else if (cwd && pool.place) {
    found.asked = *cwd;
    found.by_slot = true;
    for (auto& [id, slot] : pool.slots) {
      if (inside(*cwd, slot_path(pool, id))) found.slot = &slot;
    }
  }
  return found;
}

}  // namespace wtpool::core
