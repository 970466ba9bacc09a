// Which pools there are, and their loading.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void pools_seen(Turn& t, const event::PoolsSeen& event);
void load_pool(Turn& t, Pool& pool);
void load_failed(Turn& t, Pool& pool, const JobFailed& failed);
void pool_loaded(Turn& t, Pool& pool, const done::LoadedPool& loaded, std::uint64_t read_at);
void wake_parked(Turn& t);
void ensure_slots(Pool& pool);
void start_read_back(Turn& t, Pool& pool);

}  // namespace wtpool::core
