// The daemon killed at every named step of every scenario, and again at steps of the recovery from that.
#pragma once

#include "tests/faults/machines.hpp"
#include "tests/faults/scenarios.hpp"

namespace wtpool::test {

// Task::amount: how many steps of each recovery are killed as well; they are chosen by the seed.
[[nodiscard]] Report kill_points(const Task& task);
// At each point as often as the scenario passes it, or only once at those that it names.
enum class Points { all, named };
[[nodiscard]] Report kill_points_of(const Scenario& scenario, const Task& task, Points points);

}  // namespace wtpool::test
