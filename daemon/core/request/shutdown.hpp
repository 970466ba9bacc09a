// Draining: what runs comes to its end, what does not is refused, leases stay on disk.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void begin_shutdown(Turn& t);
void check_drained(Turn& t);

}  // namespace wtpool::core
