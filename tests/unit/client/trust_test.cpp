#include "client/run/trust.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/client/fake_daemon.hpp"

namespace wtpool::client::testing {
namespace {

Approval hooks_with(const std::string& source, std::vector<TrustedFile> files) { return {source, std::move(files)}; }

TEST(Trust, CoversTheVeryBytesOfThatSourceAlone) {
  const Home home;
  const Trust trust(home.path / "state");
  const auto hooks = hooks_with("/src/a", {{".wtpool.yaml", "hi\n"}, {"x.sh", std::string("\0\xff", 2)}});
  EXPECT_FALSE(trust.covers(hooks));
  trust.add(hooks);
  EXPECT_TRUE(trust.covers(hooks));
  EXPECT_TRUE(trust.knows("/src/a", hooks.files[1]));
  EXPECT_FALSE(trust.knows("/src/b", hooks.files[1]));
  EXPECT_FALSE(trust.covers(hooks_with("/src/b", hooks.files)));
  EXPECT_FALSE(trust.covers(hooks_with("/src/a", {hooks.files[0]})));
  EXPECT_FALSE(trust.covers(hooks_with("/src/a", {{".wtpool.yaml", "hi\r\n"}, {"x.sh", std::string("\0\xff", 2)}})));
  EXPECT_TRUE(trust.covers(hooks_with("/src/b", {}))) << "nothing is to be approved";
}

TEST(Trust, KeepsSeveralTextsAndForgetsThoseOfOneSource) {
  const Home home;
  const Trust trust(home.path / "state");
  const auto one = hooks_with("/src/a", {{".wtpool.yaml", "1"}});
  const auto two = hooks_with("/src/a", {{".wtpool.yaml", "2"}});
  const auto other = hooks_with("/src/b", {{".wtpool.yaml", "1"}});
  for (const auto& hooks : {one, two, other, one}) trust.add(hooks);
  EXPECT_TRUE(trust.covers(one) && trust.covers(two) && trust.covers(other));
  EXPECT_EQ(trust.revoke("/src/a"), 2);
  EXPECT_FALSE(trust.covers(one) || trust.covers(two));
  EXPECT_TRUE(trust.covers(other));
}

TEST(Trust, ReadsNoTextInTwoWays) {
  const auto joined = hooks_with("s", {{"a\ntext 1", "1"}});
  const auto apart = hooks_with("s", {{"a", "1"}});
  EXPECT_NE(text_of(joined), text_of(apart));
}

}  // namespace
}  // namespace wtpool::client::testing
