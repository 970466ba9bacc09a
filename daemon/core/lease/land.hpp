// A landing from its request to its answer: looked at, in the line of its target, made, tested by its client, moved.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void begin_land(Turn& t, Request& request, Pool& pool);
void land_tested(Turn& t, Request& request);
void landing_looked(Turn& t, const Job& job, const JobOutcome& outcome);
void landing_made(Turn& t, const Job& job, const JobOutcome& outcome);
void landing_moved(Turn& t, const Job& job, const JobOutcome& outcome);
// Nobody wants it any more. True: it is out of line, and is to be answered; else it moves already, and its end is the answer.
[[nodiscard]] bool leave_line(Turn& t, Request& request);

}  // namespace wtpool::core
