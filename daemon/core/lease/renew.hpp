// A lease is given more time.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void begin_renew(Turn& t, Request& request, Pool& pool);
void renewed(Turn& t, const Job& job, const std::optional<Error>& error);

}  // namespace wtpool::core
