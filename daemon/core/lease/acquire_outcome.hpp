// What becomes of an acquire, and of a lease that is given back to whom it was given before.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void acquire_done(Turn& t, const Job& job, const done::Acquired& done);
void acquire_failed(Turn& t, const Job& job, const JobFailed& failed);
void give_back(Turn& t, RequestId id, const Pool& pool, const Slot& slot);

}  // namespace wtpool::core
