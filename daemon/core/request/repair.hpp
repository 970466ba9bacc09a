// `slot.repair`.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void begin_repair(Turn& t, Request& request, Pool& pool);
void repair_ended(Turn& t, const Job& job, const JobOutcome& outcome);

}  // namespace wtpool::core
