// The end of a lease, up to the durable marker `releasing`.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void begin_release(Turn& t, Request& request, Pool& pool);
void end_lease(Turn& t, Pool& pool, Slot& slot, Ending ending);
void start_release(Turn& t, Pool& pool, Slot& slot);
void processes_ended(Turn& t, const Job& job, const std::optional<JobFailed>& failed);
void release_done(Turn& t, const Job& job, const done::Released& done);
void release_failed(Turn& t, const Job& job, const JobFailed& failed);

}  // namespace wtpool::core
