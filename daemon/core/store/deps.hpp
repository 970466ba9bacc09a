// What an acquire wants of the store: every dep at its commit's KEY, made from its archive where the store has it not.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

// True: the request waits for an entry, or was refused for one that it must have. False: its plan says what there is.
[[nodiscard]] bool waits_for_deps(Turn& t, Request& request, const done::Resolved& facts);
// Absent where the pool has no deps.
[[nodiscard]] std::optional<std::vector<proto::MissingDep>> missing_deps_of(const job::Acquire& plan);
// Those of these names could not be placed after all.
void note_missing(job::Acquire& plan, const std::vector<std::string>& names);

}  // namespace wtpool::core
