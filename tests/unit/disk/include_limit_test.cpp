#include "daemon/disk/include_limit.hpp"

#include <gtest/gtest.h>

#include "daemon/disk/config.hpp"

namespace wtpool::disk {
namespace {

TEST(IncludeLimit, IsAGibibyteUnlessItIsSaid) {
  EXPECT_EQ(include_limit(std::string("source: /src\n")), std::uint64_t{1} << 30U);
  EXPECT_EQ(include_limit(std::string("source: /src\ninclude: 7\n")), 7u);
  EXPECT_EQ(include_limit(std::string("include: 0\n")), 0u);
  EXPECT_EQ(include_limit(std::string("include: ~\n")), std::uint64_t{1} << 30U);
}

TEST(IncludeLimit, IsNothingOfATextThatCannotBeRead) {
  for (const char* const bad : {"include: -1\n", "include: all\n", "include: '7'\n", "- x\n", "a: [\n"})
    EXPECT_EQ(include_limit(std::string(bad)), 0u) << bad;
}

TEST(IncludeLimit, IsCheckedWithThePoolsConfig) {
  const std::string start = "schema_version: 1\nsource: /src\n";
  EXPECT_NO_THROW((void)parse_pool_config(start + "include: 5\n", "/p/.meta/config.yaml"));
  try {
    (void)parse_pool_config(start + "include: lots\n", "/p/.meta/config.yaml");
    FAIL() << "accepted";
  } catch (const proto::Error& refused) {
    EXPECT_TRUE(refused.message.starts_with("/p/.meta/config.yaml:3:")) << refused.message;
  }
}

}  // namespace
}  // namespace wtpool::disk
