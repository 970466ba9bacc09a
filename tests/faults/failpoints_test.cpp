#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/faults/kill_points.hpp"

namespace wtpool::test {
namespace {

class Failpoints : public ::testing::TestWithParam<std::size_t> {
 protected:
  [[nodiscard]] const Scenario& scenario() const { return scenarios()[GetParam()]; }
};

std::string name_of(const ::testing::TestParamInfo<std::size_t>& info) {
  std::string name = scenarios()[info.param].name;
  std::erase(name, '-');
  return name;
}

TEST_P(Failpoints, KilledAtEachAndAgainInTheRecoveryNothingIsLost) {
  const auto report = kill_points_of(scenario(), {.seed = 1, .amount = 1}, Points::named);
  EXPECT_EQ(said(report.violations), "") << report.figures;
}

TEST_P(Failpoints, ArePassedAsTheScenarioSays) {
  std::set<std::string> passed;
  for (const auto& point : points_of(scenario())) passed.insert(point.substr(0, point.find('@')));
  for (const auto& name : scenario().passes) EXPECT_TRUE(passed.contains(name)) << name;
}

INSTANTIATE_TEST_SUITE_P(Each, Failpoints, ::testing::Range<std::size_t>(0, scenarios().size()), name_of);

TEST(FailpointNames, AllStandInAScenarioOrInARecovery) {
  // Where only a recovery comes by; the kills above show that it does.
  std::set<std::string> known = {
      "recover.begun",
      "advance.reset" /* an idle slot goes after the tip */,
      "submodules.repository-aside" /* Submodules.OneIsSetAsideWhole… ends the daemon there */,
      "acquire.slot-filled" /* Templates.AKillAnywhere… end the daemon there, on disks that can clone */,
      "recover.undoing-fresh",
      "recover.directory-taken-back",
      "repair.head-kept",
      "recover.fresh",
      "entry.aside",
      "recover.entries-aside",
      "recover.gitfile-removed",
      "recover.directory-removed",
      "recover.intent-removed",
      "recover.branch-undone",
      "recover.work-kept",
      "recover.at-commit",
      "recover.acquire-undone",
      "recover.refs-settled",
      "recover.release-finished",
      "repair.marker-written"};
  // Of landings, mirrors, templates and the store: no scenario acquires and releases its way to them.
  const std::set<std::string> of_other_verbs = {"acquire.grafted", "create.", "land.",    "mirror.",
                                                "restock.",        "store.",  "template."};
  for (const auto& scenario : scenarios()) known.insert(scenario.passes.begin(), scenario.passes.end());
  for (const auto& name : names_in_sources()) {
    const bool elsewhere =
        std::ranges::any_of(of_other_verbs, [&name](const std::string& start) { return name.starts_with(start); });
    EXPECT_TRUE(elsewhere || known.contains(name)) << name << " is in no scenario";
  }
}

}  // namespace
}  // namespace wtpool::test
