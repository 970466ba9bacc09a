// As many clients as a daemon takes, all at once, each doing something else: every request has exactly one answer, waiters are
// served in order, and what the load took is given back. In a sanitized build a report of the daemon's is a violation too.
#pragma once

#include "tests/faults/machines.hpp"

namespace wtpool::test {

// `amount`: seconds. `clients`: connections at once, two of which only look on.
[[nodiscard]] Report clients_at_once(const Task& task);

}  // namespace wtpool::test
