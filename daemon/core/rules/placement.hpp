// Which slot an acquire gets, and who holds what.
#pragma once

#include "daemon/core/state/host.hpp"

namespace wtpool::core {

inline constexpr std::size_t kFarAway = static_cast<std::size_t>(-1);
[[nodiscard]] std::size_t distance_between(const Pool& pool, const Oid& a, const Oid& b);  // along the tip's line, or kFarAway
[[nodiscard]] Slot* best_slot(const Host& host, Pool& pool, const std::optional<std::string>& group, const std::string& name,
                              const Acquiring& acquire);
[[nodiscard]] std::string stem_of(const std::string& name);  // less its last part, where that is digits: `ci` of ci-4711
[[nodiscard]] Slot* holder_of_commit(Pool& pool, const Oid& commit);
[[nodiscard]] Slot* holder_of_name(Pool& pool, const std::string& name);
[[nodiscard]] Slot* recovering_from(Pool& pool, const std::string& name);  // what a dead daemon did under that NAME

}  // namespace wtpool::core
