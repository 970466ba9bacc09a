#include "daemon/core/rules/eviction.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace wtpool::core {
namespace {

// The same history gives the same choice.
bool used_earlier(const Evictable& a, const Evictable& b) {
  return std::tie(a.last_used, a.pool, a.slot) < std::tie(b.last_used, b.pool, b.slot);
}

Eviction taking(const Evictable& slot, Evict what) {
  return {slot.pool, slot.slot, what, what == Evict::ignored ? slot.ignored_bytes : slot.bytes, slot.last_used};
}

}  // namespace

std::vector<Eviction> evictions_for(std::vector<Evictable> slots, std::uint64_t free, std::uint64_t min_free) {
  std::vector<Eviction> chosen;
  if (free >= min_free) return chosen;
  const std::uint64_t wanted = min_free + min_free / 10;
  std::uint64_t then_free = free;
  std::ranges::sort(slots, used_earlier);
  for (Evictable& slot : slots) {
    if (then_free >= wanted) return chosen;
    if (slot.ignored_bytes == 0) continue;
    chosen.push_back(taking(slot, Evict::ignored));
    then_free += slot.ignored_bytes;
    slot.bytes -= std::min(slot.bytes, slot.ignored_bytes);
  }
  for (const Evictable& slot : slots) {
    if (then_free >= wanted) return chosen;
    chosen.push_back(taking(slot, Evict::slot));
    then_free += slot.bytes;
  }
  return chosen;
}

std::vector<Eviction> gc_choice(std::vector<Evictable> slots, const GcWish& wish) {
  std::ranges::sort(slots, used_earlier);
  std::map<std::pair<PoolKey, std::optional<std::string>>, std::size_t> kept;
  std::vector<Eviction> chosen;
  for (auto slot = slots.rbegin(); slot != slots.rend(); ++slot) {
    if (kept[{slot->pool, slot->group}]++ < wish.keep || slot->last_used > wish.older_than) continue;
    if (wish.ignored && slot->ignored_bytes == 0) continue;
    chosen.push_back(taking(*slot, wish.ignored ? Evict::ignored : Evict::slot));
  }
  std::ranges::reverse(chosen);
  return chosen;
}

}  // namespace wtpool::core
