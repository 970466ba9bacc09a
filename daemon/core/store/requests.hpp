// Requests to the store, from their arrival to their answer.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void begin_store(Turn& t, Request& request);
void store_task_ended(Turn& t, const Job& job, const JobOutcome& outcome);
void store_filled(Turn& t, const Job& job, const job::StoreFill& spec, const JobOutcome& outcome);

}  // namespace wtpool::core
