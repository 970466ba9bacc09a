#include "daemon/store/collect.hpp"

#include <algorithm>
#include <tuple>

namespace wtpool::store {

CollectPlan plan_collection(std::vector<Collectable> entries, const std::set<std::string>& rooted, const CollectRules& rules) {
  std::ranges::sort(entries, {}, [](const Collectable& each) { return std::tuple(each.used_at, each.key); });
  std::uint64_t total = 0;
  for (const Collectable& each : entries) total += each.bytes;
  CollectPlan plan;
  for (Collectable& each : entries) {
    if (rooted.contains(each.key)) {
      plan.kept[each.key] = "used";
      continue;
    }
    const bool old = rules.now - each.used_at >= rules.older_than;
    const bool over = rules.keep && total > *rules.keep;
    if (rules.keep ? !over : !old) {
      plan.kept[each.key] = rules.keep ? "fits" : "recent";
      continue;
    }
    total -= each.bytes;
    plan.take.push_back(std::move(each));
  }
  return plan;
}

}  // namespace wtpool::store
