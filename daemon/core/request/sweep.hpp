// `slot.sweep`: every lease that is asked about gets a class and a reason, and what is finished is released.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void begin_sweep(Turn& t, Request& request);
void sweep_seen(Turn& t, Request& request, const Job& job, const JobOutcome& outcome);

}  // namespace wtpool::core
