// `wtpool watch`: what happens, as it happens.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Watch : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo);
    world.environment["WTPOOL"] = std::string(WTPOOL_BIN_DIR) + "/wtpool";
  }
  [[nodiscard]] Process start_watch() const {
    Process watch(
        {.argv = {"sh", "-c", "exec \"$WTPOOL\" watch > events"}, .environment = world.environment, .directory = world.dir()});
    EXPECT_TRUE(wait_until([this] { return !lines().empty(); })) << watch.err_so_far();
    return watch;
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    const auto text = read_text(world.dir() / "events");
    return lines_of(text.substr(0, text.rfind('\n') + 1));
  }
  [[nodiscard]] bool saw(const std::string& type, const std::string& name) const {
    return wait_until([&] {
      return std::ranges::any_of(lines(), [&](const std::string& line) {
        const auto event = json::parse(line);
        return event.value("type", "") == type && event.contains("name") && event["name"] == name;
      });
    });
  }
  World world;
  Repo repo = world.make_repo();
};

TEST_F(Watch, TellsALeaseFromItsBeginningToItsEnd) {
  auto watch = start_watch();
  const auto snapshot = json::parse(lines().at(0));
  EXPECT_EQ(snapshot["type"], "snapshot");
  EXPECT_EQ(snapshot["slots"], world.json_of({"ls"}));
  world.acquire("x");
  EXPECT_TRUE(saw("acquired", "x"));
  world.release("x");
  EXPECT_TRUE(saw("released", "x"));
  watch.signal(SIGINT);
  const auto outcome = watch.wait();
  EXPECT_EQ(outcome.code, 130);
  EXPECT_EQ(outcome.err, "");
  std::int64_t last = -1;
  for (const auto& line : lines()) {
    const auto event = json::parse(line);
    if (!event.contains("seq")) continue;
    EXPECT_GT(event["seq"], last);
    last = event["seq"];
  }
}

TEST_F(Watch, EndsWith7WhenTheDaemonEnds) {
  auto watch = start_watch();
  world.stop_daemon();
  EXPECT_EQ(watch.wait().code, 7);
}

TEST_F(Watch, EndsWellWhenItsReaderDoes) {
  const auto outcome = run({.argv = {"bash", "-c", "\"$WTPOOL\" watch | head -n 1 > first; exit ${PIPESTATUS[0]}"},
                            .environment = world.environment,
                            .directory = world.dir()});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(json::parse(read_text(world.dir() / "first"))["type"], "snapshot");
}

TEST_F(Watch, IsNoTableWithoutATerminal) { EXPECT_EQ(world.wtpool({"ls", "--watch"}).code, 2); }

}  // namespace
}  // namespace wtpool::test
