#include "daemon/core/step.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/lease/cancel.hpp"
#include "daemon/core/lease/queue.hpp"
#include "daemon/core/outcomes.hpp"
#include "daemon/core/pool/load.hpp"
#include "daemon/core/request/dispatch.hpp"
#include "daemon/core/request/shutdown.hpp"
#include "daemon/core/slot/seal.hpp"
#include "daemon/core/slot/warm.hpp"
#include "daemon/core/source/fetch.hpp"
#include "daemon/core/source/tip.hpp"
#include "daemon/core/source/upkeep.hpp"
#include "daemon/core/state/overloaded.hpp"
#include "daemon/core/state/turn.hpp"
#include "daemon/core/timers.hpp"

namespace wtpool::core {
namespace {

// What the handlers left for later in this turn, so that none of them calls back into the one that called it.
// True when there was anything.
bool finish_what_was_left(Turn& t) {
  const bool any = !t.again.empty() || !t.unrun.empty();
  while (!t.again.empty() || !t.unrun.empty()) {
    for (auto& [job, outcome] : std::exchange(t.unrun, {})) finish_job(t, job, outcome);
    for (const RequestId id : std::exchange(t.again, {})) {
      if (Request* request = find_request(t, id)) begin(t, *request);
    }
  }
  return any;
}

// What an event has set free is handed on in the same turn: slots to waiters, then grants to jobs.
void settle(Turn& t) {
  (void)finish_what_was_left(t);
  for (auto& [key, pool] : t.host.pools) {
    for (int round = 0; pool.unsettled && round < 8; ++round) {
      pool.unsettled = false;
      if (!pool.ready()) continue;
      ensure_slots(pool);
      serve(t, pool);
      start_read_back(t, pool);
      (void)finish_what_was_left(t);
    }
  }
  look_after_fetches(t);
  look_after_mirrors(t);
  look_after_tips(t);
  look_after_warm(t);
  look_after_seals(t);
  do pump(t);
  while (finish_what_was_left(t));
  check_drained(t);
}

}  // namespace

Effects step(Host& host, const Event& event, Now now) {
  ++host.turn;
  Turn t{host, now, {}, {}, {}, {}};
  std::visit(Overloaded{
                 [&](const event::Request& e) { arrive(t, e); },
                 [&](const event::Cancel& e) { stop_request(t, e.id, Stop::cancelled); },
                 [&](const event::SessionClosed& e) { session_closed(t, e.id); },
                 [&](const event::PoolsSeen& e) { pools_seen(t, e); },
                 [&](const event::JobFinished& e) { job_finished(t, e); },
                 [&](const event::JobProgress& e) { job_progress(t, e); },
                 [&](const event::WriterReleased& e) { writer_released(t, e); },
                 [&](const event::OwnerGone& e) { owner_gone(t, e); },
                 [&](const event::Unsealed& e) { tree_stirred(t, e); },
                 [&](const event::Tick&) { tick(t); },
                 [&](const event::Shutdown&) { begin_shutdown(t); },
             },
             event);
  settle(t);
  Effects effects = std::move(t.notes);
  effects.insert(effects.end(), std::make_move_iterator(t.answers.begin()), std::make_move_iterator(t.answers.end()));
  return effects;
}

}  // namespace wtpool::core
