#include "daemon/disk/running_time.hpp"

#include <gtest/gtest.h>

#include "common/files/files.hpp"
#include "tests/unit/common/scratch.hpp"

namespace wtpool::disk {
namespace {

using testing::Scratch;

constexpr std::int64_t kDay = 86400;

TEST(RunningTime, CountsWhatTheHostsOwnClockCountsWithinOneBoot) {
  const RunningTime before{10, {"one", 100, 5000}};
  EXPECT_EQ(at(before, {"one", 160, 5060}).seconds, 70);
  EXPECT_EQ(at(before, {"one", 160, 5060 + 15 * kDay}).seconds, 70) << "the wall clock was set ahead";
  EXPECT_EQ(at(before, {"one", 160, 5060 - 15 * kDay}).seconds, 70) << "the wall clock was set back";
}

TEST(RunningTime, CountsOfAnotherBootWhatThatOneLasted) {
  const RunningTime before{10, {"one", 100, 5000}};
  EXPECT_EQ(at(before, {"two", 30, 9000}).seconds, 40);
}

TEST(RunningTime, BeginsAtNothing) { EXPECT_EQ(at(std::nullopt, {"one", 100, 5000}).seconds, 0); }

TEST(RunningTime, TellsByHowMuchTheWallClockWasSet) {
  const RunningTime before{10, {"one", 100, 5000}};
  EXPECT_EQ(leap_between(before, {"one", 160, 5060}), 0);
  EXPECT_EQ(leap_between(before, {"one", 160, 5060 + 15 * kDay}), 15 * kDay);
  EXPECT_EQ(leap_between(before, {"one", 160, 5060 - kDay}), -kDay);
  EXPECT_EQ(leap_between(before, {"two", 160, 5060 + 15 * kDay}), 0);
}

TEST(RunningTime, ReadsWhatItWroteAndNothingElse) {
  const Scratch scratch;
  const RunningTime time{12345, {"8f1c-boot", 678, 1777952096}};
  write_running_time(scratch / "r.yaml", time);
  EXPECT_EQ(read_running_time(scratch / "r.yaml"), time);
  EXPECT_FALSE(read_running_time(scratch / "absent"));
  for (const char* text :
       {"", "[", "seconds: -1\nboot_id: a\nawake: 1\nwall: 1\n", "seconds: x\nboot_id: a\nawake: 1\nwall: 1\n"}) {
    write_atomically(scratch / "bad", text);
    EXPECT_FALSE(read_running_time(scratch / "bad")) << text;
  }
}

}  // namespace
}  // namespace wtpool::disk
