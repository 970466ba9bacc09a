// Waiting for a slot: those who asked to wait, and behind them those who only sit out a recycle.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

enum class Placed { placed, gone, blocked };
[[nodiscard]] Placed try_place(Turn& t, Request& request, Pool& pool);
void wait_or_refuse(Turn& t, Request& request, Pool& pool);
void serve(Turn& t, Pool& pool);
void leave_queue(Turn& t, Request& request);

}  // namespace wtpool::core
