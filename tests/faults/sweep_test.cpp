// A few points of the sweep; `wtpool_faults sweep` tries all.
#include <gtest/gtest.h>

#include <future>

#include "tests/faults/sweep.hpp"

namespace wtpool::test {
namespace {

class Swept : public ::testing::TestWithParam<const char*> {};

TEST_P(Swept, HoldsAtEveryPointThatIsTried) {
  const auto report = sweep({.seed = 3, .amount = 61, .clients = 12, .operation = GetParam()});
  EXPECT_EQ(said(report.violations), "") << report.figures;
}

INSTANTIATE_TEST_SUITE_P(Operations, Swept, ::testing::Values("acquire-fresh", "acquire-replace", "release-commits"),
                         [](const auto& each) {
                           std::string name = each.param;
                           std::erase(name, '-');
                           return name;
                         });

// Around the commit of the transaction that sets an old branch aside: none, one or both of its refs have moved.
TEST(SweptPoints, WhereAnOldBranchIsSetAsideByHalf) {
  std::vector<std::future<Report>> reports;
  for (const char* point : {"git 15", "git 16", "git 17", "git 18"}) {
    reports.push_back(std::async(std::launch::async, [point] {
      return sweep({.seed = 1, .amount = 1, .operation = std::string("acquire-replace: ") + point});
    }));
  }
  for (auto& report : reports) EXPECT_EQ(said(report.get().violations), "");
}

}  // namespace
}  // namespace wtpool::test
