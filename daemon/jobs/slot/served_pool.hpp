// The pools that this daemon serves.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "daemon/disk/config.hpp"
#include "daemon/disk/layout.hpp"
#include "daemon/disk/locks.hpp"
#include "daemon/git/source/source.hpp"
#include "daemon/jobs/slot/dep_keys.hpp"
#include "daemon/jobs/slot/template_book.hpp"

namespace wtpool::jobs {

// A pool that this daemon serves. Immutable: a reload makes a new one that shares the lock.
struct ServedPool {
  PoolKey key;
  disk::PoolFiles files;
  core::PoolConfig config;
  core::PoolPlace place;
  git::SourceFacts source;
  std::shared_ptr<const disk::FileLock> lock;
  std::shared_ptr<git::Helpers> helpers;
  std::shared_ptr<DepKeys> dep_keys = std::make_shared<DepKeys>();
  std::shared_ptr<TemplateBook> templates = {};
};

// The pools that are served now, by key. Any thread.
class ServedPools {
 public:
  [[nodiscard]] std::shared_ptr<const ServedPool> find(const PoolKey& key) const;
  void put(std::shared_ptr<const ServedPool> pool);
  void drop(const PoolKey& key);

 private:
  mutable std::mutex mutex_;
  std::map<PoolKey, std::shared_ptr<const ServedPool>> pools_;
};

// Of the host, the same for all jobs.
struct HostFacts {
  std::string pools_root;
  std::uint64_t reserve_bytes = 0;
  std::string store_root = {};
  std::optional<std::int64_t> store_keep = {};  // seconds unused, after which an entry is collected by itself
  std::optional<std::int64_t> store_max = {};   // bytes of the store, past which the oldest are
};

}  // namespace wtpool::jobs
