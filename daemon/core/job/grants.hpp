// Who may run: one job a slot, one writer a source, a limit a class.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

JobId ask(Turn& t, JobClass job_class, JobSpec spec, const PoolKey& pool, std::vector<SlotId> slots = {},
          std::optional<RequestId> request = std::nullopt, bool writer = false);
void pump(Turn& t);
[[nodiscard]] bool may_start_now(const Host& host, JobClass job_class);  // one of that class, asked now
void stop_job(Turn& t, JobId id);
bool drop_unstarted(Turn& t, JobId id);  // true: it never ran, and is forgotten
void seal_gives_way(Turn& t, const PoolKey& pool, const std::vector<SlotId>& slots);
void give_writer_back(Turn& t, Job& job);

}  // namespace wtpool::core
