// Which pool a request means, and whether it can be served now.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

struct Park {};
using Choice = std::variant<PoolKey, Error, Park>;
[[nodiscard]] Choice choose_pool(Turn& t, Request& request, const proto::Scope& scope);

}  // namespace wtpool::core
