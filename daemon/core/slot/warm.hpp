// Slots that are made ahead, for whoever comes next: because a verb asked for so many, or the pool's config does.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void begin_warm(Turn& t, Request& request, Pool& pool);
void slot_made(Turn& t, const Job& job, const JobOutcome& outcome);
void look_after_warm(Turn& t);
// An acquire found no slot: one that is being made for nobody is given up, and made for it instead.
void making_gives_way(Turn& t, Pool& pool, const std::optional<std::string>& group);
[[nodiscard]] std::optional<nanoseconds> next_making(const Host& host);

}  // namespace wtpool::core
