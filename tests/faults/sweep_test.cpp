// A few points of the sweep; `wtpool_faults sweep` tries all.
#include <gtest/gtest.h>

#include "tests/faults/sweep.hpp"

namespace wtpool::test {
namespace {

class Swept : public ::testing::TestWithParam<const char*> {};

TEST_P(Swept, HoldsAtEveryPointThatIsTried) {
  const auto report = sweep({.seed = 3, .amount = 37, .operation = GetParam()});
  EXPECT_EQ(said(report.violations), "") << report.figures;
}

INSTANTIATE_TEST_SUITE_P(Operations, Swept, ::testing::Values("acquire-fresh", "acquire-replace", "release-commits"),
                         [](const auto& each) {
                           std::string name = each.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace wtpool::test
