// Each machine for a short time; scripts/soak runs them long.
#include <gtest/gtest.h>

#include "tests/faults/machines.hpp"

namespace wtpool::test {
namespace {

TEST(Machines, KillLoop) {
  const auto& all = machines();
  const auto loop = std::ranges::find_if(all, [](const Machine& machine) { return machine.name == std::string("kill-loop"); });
  ASSERT_NE(loop, all.end());
  const auto report = loop->run({.seed = 1, .amount = 3});
  EXPECT_EQ(said(report.violations), "") << report.figures;
}

}  // namespace
}  // namespace wtpool::test
