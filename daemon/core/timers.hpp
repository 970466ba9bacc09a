// Deadlines.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void tick(Turn& t);

}  // namespace wtpool::core
