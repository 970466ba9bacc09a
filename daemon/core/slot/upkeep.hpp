// A slot between two leases: recycled, recovered, quarantined, offered again.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void start_recycle(Turn& t, Pool& pool, Slot& slot);
// True: the slot is being recycled or recovered, which is never cut short, and the request begins anew when it is over.
[[nodiscard]] bool waits_for_upkeep(Request& request, Slot& slot);
void start_recover(Turn& t, Pool& pool, Slot& slot);
void quarantine(Turn& t, Pool& pool, Slot& slot, const std::string& reason, const std::string& doing);
void became_idle(Turn& t, Pool& pool, Slot& slot, const done::Idle& done);
void became_fresh(Turn& t, Pool& pool, Slot& slot);
void upkeep_done(Turn& t, const Job& job, const JobDone& done);
void upkeep_failed(Turn& t, const Job& job, const JobFailed& failed);
void lease_begins(Turn& t, Slot& slot);
void pass_over(Turn& t, Pool& pool, Slot& slot);         // another program has its lock: nobody who waits tries it for a while
void try_later(Turn& t, Slot& slot);                     // it failed for one who waits: he tries it again after a while
void may_be_had_again(Turn& t, Pool& pool, Slot& slot);  // the slot is offered again to waiters that had skipped it

}  // namespace wtpool::core
