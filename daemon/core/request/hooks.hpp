// hooks.get: what would run, for a client that asks. The daemon reads hooks and runs none.
#pragma once

#include "daemon/core/state/host.hpp"

namespace wtpool::core {

struct Turn;

void begin_hooks(Turn& t, Request& request, Pool& pool);
// What the job read, with what the core knows beside it. The job's request is there.
[[nodiscard]] proto::HooksResult hooks_result(Turn& t, const Job& job, const done::HooksRead& done);

}  // namespace wtpool::core
