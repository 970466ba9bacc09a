// Which idle slots give up their space, and how much of it. Pure: of pools, last use, sizes and free space alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/core/state/values.hpp"

namespace wtpool::core {

// An idle slot of a pool that allows it, as it was measured since it was used last. One that is held, quarantined, or has a
// file that is neither tracked nor ignored, or a repository of somebody's, is none.
struct Evictable {
  PoolKey pool;
  SlotId slot;
  std::optional<std::string> group;
  std::int64_t last_used = 0;  // UTC seconds: the end of its last lease
  std::uint64_t bytes = 0;     // of all its files
  std::uint64_t ignored_bytes = 0;
  friend bool operator==(const Evictable&, const Evictable&) = default;
};

enum class Evict { ignored, slot };

struct Eviction {
  PoolKey pool;
  SlotId slot;
  Evict what = Evict::slot;
  std::uint64_t bytes = 0;
  std::int64_t last_used = 0;
  friend bool operator==(const Eviction&, const Eviction&) = default;
};

// For a reserve of `min_free` bytes: nothing while as much is free; else until a tenth more would be. First ignored files of
// the slots used longest ago, then those slots themselves.
[[nodiscard]] std::vector<Eviction> evictions_for(std::vector<Evictable> slots, std::uint64_t free, std::uint64_t min_free);

// What `gc` takes: slots not used since `older_than`, but for the `keep` used last of each group of a pool; `ignored` leaves
// the slots and takes what git ignores in them.
struct GcWish {
  std::int64_t older_than = 0;  // UTC seconds
  std::size_t keep = 1;
  bool ignored = false;
};
[[nodiscard]] std::vector<Eviction> gc_choice(std::vector<Evictable> slots, const GcWish& wish);

}  // namespace wtpool::core
