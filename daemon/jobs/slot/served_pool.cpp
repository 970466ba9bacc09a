#include "daemon/jobs/slot/served_pool.hpp"

namespace wtpool::jobs {

std::shared_ptr<const ServedPool> ServedPools::find(const PoolKey& key) const {
  const std::lock_guard guard(mutex_);
  const auto found = pools_.find(key);
  return found == pools_.end() ? nullptr : found->second;
}

void ServedPools::put(std::shared_ptr<const ServedPool> pool) {
  const std::lock_guard guard(mutex_);
  pools_[pool->key] = std::move(pool);
}

void ServedPools::drop(const PoolKey& key) {
  const std::lock_guard guard(mutex_);
  pools_.erase(key);
}

}  // namespace wtpool::jobs
