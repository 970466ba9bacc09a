// Mirrors are tidied up when nothing has run on them for a while; a user's own clone never is.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void look_after_mirrors(Turn& t);
void tend_ended(Turn& t, const Job& job, const std::optional<Error>& error);
[[nodiscard]] std::optional<nanoseconds> next_tending(const Host& host);

}  // namespace wtpool::core
