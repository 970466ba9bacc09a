#include "daemon/core/store/deps.hpp"

#include <algorithm>

#include "daemon/core/store/fillings.hpp"

namespace wtpool::core {

bool waits_for_deps(Turn& t, Request& request, const done::Resolved& facts) {
  const bool frozen_only = std::get<proto::AcquireParams>(request.params).frozen_only;
  for (const WantedDep& wanted : facts.deps) {
    const Dep& dep = wanted.dep;
    if (wanted.present || frozen_only || dep.archive.empty() || request.unfilled.contains(dep.key)) continue;
    request.deps_asked = true;
    if (filling_of(t, dep.key) != nullptr) {
      wait_for_filling(t, request, dep.key);
    } else {
      fill_from(t, request, dep.key, dep.archive, false);
    }
    return true;
  }
  for (const WantedDep& wanted : facts.deps) {
    if (wanted.present || !(wanted.dep.required || frozen_only)) continue;
    refuse(t, request.id,
           {ErrorKind::not_in_store,
            "cannot acquire: " + wanted.dep.key + " is not in the store, and '" + wanted.dep.name + "' is required",
            "wtpool store add " + wanted.dep.key + " ARCHIVE"});
    return true;
  }
  request.acquire.plan.deps = facts.deps;
  return false;
}

std::optional<std::vector<proto::MissingDep>> missing_deps_of(const job::Acquire& plan) {
  if (plan.deps.empty()) return std::nullopt;
  std::vector<proto::MissingDep> missing;
  for (const WantedDep& wanted : plan.deps) {
    if (!wanted.present) missing.push_back({wanted.dep.name, wanted.dep.key});
  }
  return missing;
}

void note_missing(job::Acquire& plan, const std::vector<std::string>& names) {
  for (WantedDep& wanted : plan.deps) {
    if (std::ranges::find(names, wanted.dep.name) != names.end()) wanted.present = false;
  }
}

}  // namespace wtpool::core
