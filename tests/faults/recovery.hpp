// How long a daemon that was killed takes to know its slots again: a pool of mixed states, killed and started, many times.
#pragma once

#include "tests/faults/machines.hpp"

namespace wtpool::test {

// `amount`: kills; `slots`: of the pool, 64 when none are given. Times are printed and not judged.
[[nodiscard]] Report recovery(const Task& task);

}  // namespace wtpool::test
