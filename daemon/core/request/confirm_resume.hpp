// `lease.confirm` and `lease.resume`.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void begin_confirm(Turn& t, Request& request);
void begin_resume(Turn& t, Request& request);

}  // namespace wtpool::core
