// `doctor --repair`: what it is going to do, and doing it in this process where no daemon serves the pools.
#pragma once

#include "daemon/app/doctor/host_checks.hpp"

namespace wtpool::app {

// A line for each thing that a repair would do, or one that says that there is nothing. Reading only.
[[nodiscard]] std::vector<std::string> plan_repair(const CheckFacts& facts);
// With the lock of each pool, taken for as long as it takes. What was done, and what was left and why.
[[nodiscard]] std::vector<proto::DoctorCheck> repair_here(const CheckFacts& facts);

}  // namespace wtpool::app
