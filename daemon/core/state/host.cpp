#include "daemon/core/state/host.hpp"

namespace wtpool::core {

const Pool* find_pool(const Host& host, const PoolKey& key) {
  const auto found = host.pools.find(key);
  return found == host.pools.end() ? nullptr : &found->second;
}

std::vector<PoolKey> pool_keys(const Host& host) {
  std::vector<PoolKey> keys;
  for (const auto& [key, pool] : host.pools) keys.push_back(key);
  return keys;
}

std::size_t waiting_count(const Host& host) {
  std::size_t count = 0;
  for (const auto& [key, pool] : host.pools) count += pool.queue.size() + pool.waiting.size();
  return count;
}

std::size_t lease_count(const Host& host) {
  std::size_t count = 0;
  for (const auto& [key, pool] : host.pools) {
    for (const auto& [id, slot] : pool.slots) count += slot.phase == Phase::held || slot.phase == Phase::releasing ? 1 : 0;
  }
  return count;
}

bool is_idle(const Host& host) { return host.requests.empty() && host.jobs.empty(); }

std::string slot_path(const Pool& pool, const SlotId& slot) {
  return (pool.place ? pool.place->root : pool.key.str()) + "/" + slot.str();
}

std::vector<const Slot*> slots_in_order(const Pool& pool) {
  std::vector<const Slot*> slots;
  for (const auto& [id, slot] : pool.slots) slots.push_back(&slot);
  const auto group_rank = [&](const Slot* slot) -> std::size_t {
    if (!slot->group || !pool.config) return 0;
    const auto& groups = pool.config->groups;
    return static_cast<std::size_t>(std::find(groups.begin(), groups.end(), *slot->group) - groups.begin());
  };
  std::stable_sort(slots.begin(), slots.end(), [&](const Slot* a, const Slot* b) {
    return std::tuple(group_rank(a), a->group, a->number) < std::tuple(group_rank(b), b->group, b->number);
  });
  return slots;
}

bool being_healed(const Host& host, const Slot& slot) {
  return slot.job && std::holds_alternative<job::Heal>(host.jobs.at(*slot.job).spec);
}

}  // namespace wtpool::core
