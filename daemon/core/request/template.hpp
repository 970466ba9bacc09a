// Templates: which slot is frozen, and what is told of those that there are.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void begin_template_make(Turn& t, Request& request, Pool& pool);
// The commit that an idle slot is wanted near to.
void template_commit_resolved(Turn& t, Request& request, const done::Resolved& facts);
void template_made(Turn& t, const Job& job, const JobOutcome& outcome);
void begin_template_list(Turn& t, Request& request, std::vector<PoolKey> pools);

}  // namespace wtpool::core
