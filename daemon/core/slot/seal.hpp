// Idle slots are sealed: a watch says that nothing in them changed, so that nobody has to look.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void unseal(Turn& t, Pool& pool, Slot& slot, std::optional<nanoseconds> again);  // the core's part: the seal itself stays
void tree_stirred(Turn& t, const event::Unsealed& event);
void seal_ended(Turn& t, const Job& job, const JobOutcome& outcome);
void look_after_seals(Turn& t);
[[nodiscard]] std::optional<nanoseconds> next_sealing(const Host& host);

}  // namespace wtpool::core
