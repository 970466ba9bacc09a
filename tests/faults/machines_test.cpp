// Each machine for a short time; scripts/soak runs them long.
#include <gtest/gtest.h>

#include "tests/faults/clients.hpp"
#include "tests/faults/machines.hpp"
#include "tests/faults/recovery.hpp"

namespace wtpool::test {
namespace {

TEST(Machines, ManyClientsAtOnce) {
  const auto report = clients_at_once({.seed = 1, .amount = 2, .clients = 48});
  EXPECT_EQ(said(report.violations), "") << report.figures;
}

TEST(Machines, RecoveryOfSlotsInEveryState) {
  const auto report = recovery({.seed = 1, .amount = 2, .slots = 16});
  EXPECT_EQ(said(report.violations), "") << report.figures;
}

TEST(Machines, KillLoop) {
  const auto& all = machines();
  const auto loop = std::ranges::find_if(all, [](const Machine& machine) { return machine.name == std::string("kill-loop"); });
  ASSERT_NE(loop, all.end());
  const auto report = loop->run({.seed = 1, .amount = 3});
  EXPECT_EQ(said(report.violations), "") << report.figures;
}

}  // namespace
}  // namespace wtpool::test
