#include "tests/faults/power/power_loss.hpp"

#include <gtest/gtest.h>

namespace wtpool::test::power {
namespace {

class PowerLoss : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    why_not_ = why_no_strace();
    if (why_not_.empty()) told_ = std::make_unique<Told>();
  }
  static void TearDownTestSuite() { told_.reset(); }
  void SetUp() override {
    if (!why_not_.empty()) GTEST_SKIP() << why_not_;
  }
  static const Told& told() { return *told_; }

 private:
  inline static std::unique_ptr<Told> told_;
  inline static std::string why_not_;
};

TEST_F(PowerLoss, TakesNothingThatWasAnsweredOrDone) {
  const auto losses = lose_power(told(), {.schedules = 400, .seed = 1, .restart_each = 80});
  EXPECT_EQ(said(losses.kinds), "") << losses.lost << " of " << losses.schedules;
}

TEST_F(PowerLoss, NeverTearsAMarkerWhateverTheFileSystem) {
  const auto losses = lose_power(told(), {.schedules = 400, .seed = 1, .law = Law::loose});
  EXPECT_EQ(said(losses.kinds), "") << losses.lost << " of " << losses.schedules;
}

// The machine itself: a disk that does not heed a sync must be found out, or the tests above prove nothing.
TEST_F(PowerLoss, IsFoundOutWhereADiskIgnoresSyncs) {
  EXPECT_GT(lose_power(told(), {.schedules = 200, .syncs = Syncs::none}).lost, 50u);
  EXPECT_GT(lose_power(told(), {.schedules = 200, .syncs = Syncs::directories_only}).lost, 50u);
  EXPECT_GT(lose_power(told(), {.schedules = 400, .syncs = Syncs::files_only}).lost, 0u);
}

}  // namespace
}  // namespace wtpool::test::power
