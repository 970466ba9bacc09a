// `host.doctor` with repair, in the pools that are served.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void begin_doctor(Turn& t, Request& request);
void heal_ended(Turn& t, const Job& job, const JobOutcome& outcome);

}  // namespace wtpool::core
