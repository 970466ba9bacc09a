// `slot.acquire` from its commit to its Acquire job.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void begin_acquire(Turn& t, Request& request, Pool& pool);
void resolved(Turn& t, Request& request, const done::Resolved& facts);
void place(Turn& t, RequestId id);
[[nodiscard]] std::optional<Error> check_name(Turn& t, Request& request, Pool& pool, bool commit_known, bool& given_back);

}  // namespace wtpool::core
