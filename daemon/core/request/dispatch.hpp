// A request from its arrival to whom it concerns.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void arrive(Turn& t, const event::Request& event);
void begin(Turn& t, Request& request);

}  // namespace wtpool::core
