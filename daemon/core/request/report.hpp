// What is told of pools and slots.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void begin_list(Turn& t, Request& request);
void finish_list(Turn& t, Request& request);
void begin_inspect(Turn& t, Request& request, Pool& pool);
void begin_path(Turn& t, Request& request, Pool& pool);
[[nodiscard]] proto::SlotInfo slot_info(const Pool& pool, const Slot& slot, Now now);
[[nodiscard]] proto::PoolInfo pool_info(const Host& host, const Pool& pool);

}  // namespace wtpool::core
