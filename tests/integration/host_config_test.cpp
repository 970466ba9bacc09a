// The host's config: a mistake in it, and what a reload applies.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class HostConfig : public ::testing::Test {
 protected:
  void write(const std::string& text) const {
    fs::create_directories(file().parent_path());
    write_text(file(), text);
  }
  [[nodiscard]] fs::path file() const { return world.dir() / "config/wtpool/wtpoold.yaml"; }
  [[nodiscard]] std::string log() const { return read_text(world.state() / "wtpoold.log"); }
  bool wait_for_log(const std::string& words) const {
    return wait_until([&] { return log().find(words) != std::string::npos; });
  }
  World world;
};

TEST_F(HostConfig, AReloadAppliesTheLogLevel) {
  world.start_daemon();
  world.init(world.make_repo());
  EXPECT_EQ(log().find(" debug "), std::string::npos);
  write("log_level: debug\n");
  world.daemon().signal(SIGHUP);
  EXPECT_TRUE(wait_for_log("host config read again"));
  world.acquire("x");
  EXPECT_TRUE(wait_for_log(" debug "));
  EXPECT_NE(log().find(" serves "), std::string::npos) << "what was logged before stays";
}

TEST_F(HostConfig, AReloadAppliesTheReserve) {
  world.start_daemon();
  world.init(world.make_repo());
  world.acquire("x");
  write("reserve: 9000000000000000000\n");
  world.daemon().signal(SIGHUP);
  EXPECT_TRUE(wait_for_log("host config read again"));
  const auto outcome = world.wtpool({"acquire", "y"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.err.find("less than the reserve"), std::string::npos) << outcome;
}

}  // namespace
}  // namespace wtpool::test
