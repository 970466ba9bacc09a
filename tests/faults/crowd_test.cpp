// Many at once, and what stands where the socket was.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <memory>

#include "tests/support/wire.hpp"
#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

TEST(Crowd, OfFiftyDaemonsOneServesAndTheOthersSaySo) {
  World world;
  std::vector<Process> daemons;
  for (int number = 0; number < 50; ++number) daemons.push_back(world.start_wtpoold());
  int serving = 0;
  ASSERT_TRUE(wait_until(
      [&] {
        serving = 0;
        for (auto& daemon : daemons) serving += daemon.running() ? 1 : 0;
        return serving == 1 && world.answers();
      },
      60s))
      << serving;
  const auto pid = world.pid_in_instance_lock();
  ASSERT_TRUE(pid);
  for (auto& daemon : daemons) {
    if (daemon.running()) {
      EXPECT_EQ(daemon.pid(), *pid);
      continue;
    }
    const auto outcome = daemon.wait();
    EXPECT_EQ(outcome.code, 0) << outcome;
    EXPECT_FALSE(outcome.err.empty());
  }
  EXPECT_EQ(world.wtpool({"status"}).code, 0);
}

class Socket : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo);
    world.acquire("x");
  }
  void expect_back() const {
    EXPECT_TRUE(wait_until([&] { return world.wtpool({"status"}).code == 0; }, 10s));
    EXPECT_EQ(world.state_of("slot-0"), "held");
  }
  World world;
  Repo repo = world.make_repo();
};

TEST_F(Socket, IsBackWhereAFileWasPutInItsPlace) {
  fs::remove(world.socket());
  write_text(world.socket(), "no socket\n");
  expect_back();
}

TEST_F(Socket, IsBackWhereAnotherWasPutInItsPlace) {
  fs::rename(world.socket(), world.dir() / "run/elsewhere");
  const auto made =
      run({.argv = {"nc", "-l", "-U", world.socket().string()}, .environment = world.environment, .deadline = 500ms});
  ASSERT_TRUE(fs::exists(world.socket())) << made;
  expect_back();
}

TEST_F(Socket, IsBackWithItsDirectory) {
  fs::remove_all(world.socket().parent_path());
  expect_back();
}

TEST(Crowd, OfAThousandSlowWritersKeepsNobodyWaiting) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < 1200) GTEST_SKIP() << "this process may open " << limit.rlim_cur << " files only";
  World world;
  const auto repo = world.make_repo();
  world.start_daemon();
  world.init(repo);
  std::vector<std::unique_ptr<Wire>> slow;
  for (int number = 0; number < 1000; ++number) slow.push_back(std::make_unique<Wire>(world.socket()));
  const std::string frame = request(1, "ping");
  const auto begun = std::chrono::steady_clock::now();
  for (std::size_t at = 0; at < 3; ++at) {
    const auto second = begun + std::chrono::seconds(at);
    wait_until([&] { return std::chrono::steady_clock::now() >= second; });
    for (const auto& wire : slow) ASSERT_TRUE(wire->send(frame.substr(at, 1)));
    const auto name = "x" + std::to_string(at);
    const auto asked = std::chrono::steady_clock::now();
    world.acquire(name);
    world.release(name);
    EXPECT_LT(std::chrono::steady_clock::now() - asked, 10s);
  }
  for (const auto& wire : slow) ASSERT_TRUE(wire->send(frame.substr(3)));
  for (const auto& wire : slow) EXPECT_TRUE(wire->read().contains("result"));
}

}  // namespace
}  // namespace wtpool::test
