#include "daemon/store/graft_plan.hpp"

#include <algorithm>

#include "daemon/store/names.hpp"

namespace wtpool::store {

bool is_real(const GraftRules& rules, const std::string& target) {
  return std::ranges::any_of(rules.real, [&](const std::string& real) { return is_at_or_below(real, target); });
}

Level plan_level(const std::vector<Candidate>& candidates, const GraftRules& rules) {
  Level level;
  for (const Candidate& each : candidates) {
    const bool is_directory = each.kind == NodeKind::directory;
    if (each.standing == Standing::other || (each.standing == Standing::directory && !is_directory)) {
      level.overridden.push_back(each.target);
      continue;
    }
    if (each.standing == Standing::directory) {
      level.below.push_back(each.target);
      continue;
    }
    if (is_directory && (is_real(rules, each.target) || !each.ignored)) {
      level.below.push_back(each.target);
      level.make.push_back(each.target);
      continue;
    }
    if (each.ignored || rules.force) {
      level.grafts.push_back(each.target);
    } else {
      level.refused.push_back(each.target);
    }
  }
  return level;
}

}  // namespace wtpool::store
