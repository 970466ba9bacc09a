// The host's config: a mistake in it, and what a reload applies. A slip in a pool's.
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

TEST_F(HostConfig, AMistakeInItIsARowOfTheDoctors) {
  for (const bool running : {true, false}) {
    if (running) {
      world.start_daemon();
      world.init(world.make_repo());
    }
    write("seal: true\nbogus: 1\n");
    if (!running) world.stop_daemon();
    const auto outcome = world.wtpool({"--json", "doctor"});
    EXPECT_EQ(outcome.code, 1) << outcome;
    const auto report = json::parse(outcome.out, nullptr, false);
    ASSERT_TRUE(report.is_object()) << outcome;
    std::map<std::string, json> rows;
    for (const auto& check : report["checks"]) rows[check["name"]] = check;
    ASSERT_TRUE(rows.contains("config")) << outcome;
    EXPECT_EQ(rows["config"]["status"], "error");
    EXPECT_TRUE(rows["config"]["detail"].get<std::string>().starts_with(file().string() + ":2:1: unknown key 'bogus'"))
        << outcome;
    EXPECT_NE(rows["config"]["hint"].get<std::string>().find(file().string()), std::string::npos) << outcome;
    EXPECT_EQ(rows["pool app"]["status"], "ok") << outcome;
    EXPECT_TRUE(rows.contains("root")) << outcome;
  }
  const auto repair = world.wtpool({"doctor", "--repair"});
  EXPECT_EQ(repair.code, 1) << repair;
  EXPECT_NE(repair.out.find("nothing is repaired"), std::string::npos) << repair;
}

TEST_F(HostConfig, WithAMistakeARestartIsRefusedWhileTheDaemonServes) {
  world.start_daemon();
  write("bogus: 1\n");
  const auto outcome = world.wtpool({"daemon", "restart"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.err.find(file().string() + ":1:1: unknown key 'bogus'"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find("hint: wtpool doctor"), std::string::npos) << outcome;
  EXPECT_TRUE(world.daemon().running());
  EXPECT_EQ(world.wtpool({"status"}).code, 0);
  write("seal: true\n");
  EXPECT_EQ(world.wtpool({"daemon", "restart"}).code, 0);
  EXPECT_EQ(world.wtpool({"status"}).code, 0);
}

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

// ---- of a pool ----

TEST(PoolConfig, WithASlipInItsSourceBlamesNoSlot) {
  World world;
  const Repo repo = world.make_repo();
  const Repo other = world.make_repo("other");
  world.start_daemon();
  world.init(repo, {"--max-slots", "2"});
  world.acquire("a");
  world.acquire("b");
  world.release("b");
  const auto config = world.root() / "app/.meta/config.yaml";
  const auto good = read_text(config);
  auto slip = good;
  slip.replace(slip.find(repo.path().string()), repo.path().string().size(), other.path().string());
  write_text(config, slip);
  const auto said = world.wtpool({"ls"});
  EXPECT_EQ(said.code, 0) << said;
  EXPECT_NE(said.err.find("is a worktree of " + repo.path().string()), std::string::npos) << said;
  EXPECT_NE(said.err.find("the last good config is used"), std::string::npos) << said;
  EXPECT_EQ(world.state_of("slot-0"), "held");
  EXPECT_EQ(world.state_of("slot-1"), "idle");
  write_text(config, good);
  EXPECT_EQ(world.wtpool({"ls"}).err, "");
  EXPECT_FALSE(world.acquire("c").empty());
  world.release("a");
}

}  // namespace
}  // namespace wtpool::test
