// Guards: tracked files, lockfiles above all, that make a carried directory valid.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// Paths of the guards of a carried path, in the pool's config or built in: of node_modules, .venv, vendor/bundle and Pods the
// nearest lockfiles at or above. `is_tracked` is asked of paths relative to the slot.
[[nodiscard]] std::vector<std::string> guards_of(const core::PoolConfig& config, const std::string& carried,
                                                 const std::function<bool(const std::string&)>& is_tracked);

// Carried paths that stand in the slot, and a guard of which is another one at `to` than at `from`.
[[nodiscard]] std::vector<std::string> stale_paths(const JobContext& job, const std::optional<std::string>& group,
                                                   const Oid& from, const Oid& to);

}  // namespace wtpool::jobs
