#include "daemon/core/step.hpp"

#include <algorithm>
#include <iterator>

#include "daemon/core/overloaded.hpp"
#include "daemon/core/turn.hpp"

namespace wtpool::core {
namespace {

// What an event has set free is handed on in the same turn: slots to waiters, then grants to jobs.
void settle(Turn& t) {
  for (auto& [key, pool] : t.host.pools) {
    for (int round = 0; pool.unsettled && round < 8; ++round) {
      pool.unsettled = false;
      if (!pool.ready()) continue;
      ensure_slots(pool);
      serve(t, pool);
      start_read_back(t, pool);
    }
  }
  look_after_tips(t);
  look_after_seals(t);
  pump(t);
  check_drained(t);
}

}  // namespace

Effects step(Host& host, const Event& event, Now now) {
  ++host.turn;
  Turn t{host, now, {}, {}};
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
