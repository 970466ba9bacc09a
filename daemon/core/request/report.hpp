// What is told of pools and slots.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

// The pools that a report speaks of; nothing: the request was parked or refused.
[[nodiscard]] std::optional<std::vector<PoolKey>> listed_pools(Turn& t, Request& request, const proto::Scope& scope);
void begin_list(Turn& t, Request& request);
void finish_list(Turn& t, Request& request);
void begin_inspect(Turn& t, Request& request, Pool& pool);
void begin_locate(Turn& t, Request& request);
void begin_path(Turn& t, Request& request, Pool& pool);
[[nodiscard]] proto::SlotInfo slot_info(const Pool& pool, const Slot& slot, Now now);
[[nodiscard]] proto::PoolInfo pool_info(const Host& host, const Pool& pool);

}  // namespace wtpool::core
