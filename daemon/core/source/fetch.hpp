// A commit is asked for at the source, and at its remote when it is not there.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void resolve(Turn& t, Request& request, Pool& pool);
void join_fetch(Turn& t, Request& request, Pool& pool);
void fetch_ended(Turn& t, const Job& job, const std::optional<Error>& error);

}  // namespace wtpool::core
