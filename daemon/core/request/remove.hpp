// Slots and pools are taken away.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void begin_remove_slot(Turn& t, Request& request, Pool& pool);
void begin_remove_pool(Turn& t, Request& request, Pool& pool);
void remove_ended(Turn& t, const Job& job, const JobOutcome& outcome);
void pool_removed(Turn& t, const Job& job, const std::optional<Error>& error);

}  // namespace wtpool::core
