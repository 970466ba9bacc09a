// Sessions of a durable lease: clients that are attached to it. When the last one has ended, the lease is looked at, and
// released if it is finished.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void begin_attach(Turn& t, Request& request, Pool& pool);
// A connection ended: its sessions are over.
void session_detached(Turn& t, SessionId session);
// The lease of a slot that nobody is attached to is looked at now, as a sweep without a minimal age would.
void look_at_finished(Turn& t, Pool& pool, Slot& slot);
void finished_seen(Turn& t, const Job& job, const JobOutcome& outcome);
// Releases a lease that was judged finished, if it still stands at these ids when its slot is locked.
void release_judged(Turn& t, Pool& pool, Slot& slot, const SweepFacts& facts, std::optional<RequestId> sweep);

}  // namespace wtpool::core
