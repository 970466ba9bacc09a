// The default commit is followed, and idle slots are brought along.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void tip_may_have_moved(Turn& t, Pool& pool);
void tip_seen(Turn& t, const Job& job, const JobOutcome& outcome);
void advance_ended(Turn& t, const Job& job, const JobOutcome& outcome);
void look_after_tips(Turn& t);
[[nodiscard]] std::optional<nanoseconds> next_look_at_tip(const Host& host);

}  // namespace wtpool::core
