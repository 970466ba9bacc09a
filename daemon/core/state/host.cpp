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

}  // namespace wtpool::core
