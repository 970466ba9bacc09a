// Kills at every step: each operation is run again and again, killed at its first call that changes something, at its second,
// and so on until it comes to its end; then all is looked at, and asked for again. What recovers from that is killed in the
// same way.
#pragma once

#include "tests/faults/machines.hpp"

namespace wtpool::test {

// `task.amount`: every how many points one is tried. `task.operation`: one of operations(), `recover`, or `all`.
[[nodiscard]] Report sweep(const Task& task);

}  // namespace wtpool::test
