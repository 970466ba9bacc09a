// What a daemon can be killed in the middle of in the store, in the form of scenarios().
#pragma once

#include <vector>

#include "tests/faults/scenarios.hpp"

namespace wtpool::test {

[[nodiscard]] std::vector<Scenario> store_scenarios();

}  // namespace wtpool::test
