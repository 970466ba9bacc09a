// Clients at work while their daemon is killed, again and again.
#pragma once

#include "tests/faults/machines.hpp"

namespace wtpool::test {

[[nodiscard]] Report kill_loop(const Task& task);

}  // namespace wtpool::test
