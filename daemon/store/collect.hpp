// What gc may take. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace wtpool::store {

struct Collectable {
  std::string key;
  std::uint64_t bytes = 0;
  std::int64_t used_at = 0;
};
struct CollectRules {
  std::int64_t now = 0;
  std::int64_t older_than = 30 * 24 * 3600;  // seconds unused
  std::optional<std::uint64_t> keep;         // bytes: the oldest go until the rest is so much
};
struct CollectPlan {
  std::vector<Collectable> take;            // oldest first
  std::map<std::string, std::string> kept;  // KEY → why
};
// `rooted`: KEYs that some root names. With `keep`, what is younger than `older_than` goes, too, for as long as there is more.
[[nodiscard]] CollectPlan plan_collection(std::vector<Collectable> entries, const std::set<std::string>& rooted,
                                          const CollectRules& rules);

}  // namespace wtpool::store
