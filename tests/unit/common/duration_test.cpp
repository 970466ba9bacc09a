#include "common/base/duration.hpp"

#include <gtest/gtest.h>

namespace wtpool {
namespace {

using namespace std::chrono_literals;

TEST(Duration, IsANumberWithAUnit) {
  EXPECT_EQ(parse_duration("0s"), 0ms);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("90s"), 90s);
  EXPECT_EQ(parse_duration("10m"), 10min);
  EXPECT_EQ(parse_duration("24h"), 24h);
  EXPECT_EQ(parse_duration("7d"), 168h);
  EXPECT_EQ(parse_duration("007s"), 7s);
}

TEST(Duration, IsNothingElse) {
  for (const char* text :
       {"", "5", "s", "-5s", "+5s", " 5s", "5 s", "5s ", "5S", "1.5h", "5min", "5w", "1h30m", "0x5s", "five"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Duration, LastsAHundredYearsAtMost) {
  EXPECT_TRUE(parse_duration("36500d"));
  EXPECT_FALSE(parse_duration("36501d"));
  EXPECT_FALSE(parse_duration("9223372036854775807d"));
  EXPECT_FALSE(parse_duration("99999999999999999999999ms"));
}

}  // namespace
}  // namespace wtpool
