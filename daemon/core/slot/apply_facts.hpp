// Doing what the reconcile table says of what was read of a slot.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void apply_facts(Turn& t, Pool& pool, const SlotFacts& facts, bool first);

}  // namespace wtpool::core
