// The machine starts neither a process nor a thread, as at pids.max or `ulimit -u`: that is said, and no slot is blamed for it.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class ScarceProcesses : public ::testing::Test {
 protected:
  void SetUp() override {
    if (run({.argv = {"strace", "-f", "-o", "/dev/null", "true"}, .environment = git_environment()}).code != 0)
      GTEST_SKIP() << "strace does not work here";
    world.environment["XDG_CONFIG_HOME"] = (world.dir() / "config").string();
    write_text(world.dir() / "config/wtpool/wtpoold.yaml", "seal_quiet: 1s\n");
    repo.git({"switch", "-q", "-c", "other"});
    other = repo.commit("src/main.c", "int main() { return 1; }\n");
    repo.git({"switch", "-q", "main"});
    world.start_daemon();
    world.init(repo);
    world.acquire("before");
    world.release("before");
  }
  // Every attempt of the daemon's to start one fails while the value lives.
  [[nodiscard]] Process take_all() {
    fs::remove(trace());
    const auto pid = std::to_string(world.daemon().pid());
    Process strace({.argv = {"strace", "-f", "-qq", "-o", trace().string(), "-e", "trace=clone,clone3,vfork", "-e",
                             "inject=clone,clone3,vfork:error=EAGAIN", "-p", pid},
                    .environment = world.environment});
    EXPECT_TRUE(wait_until([&] { return read_text("/proc/" + pid + "/status").find("TracerPid:\t0\n") == std::string::npos; }))
        << strace.err_so_far();
    return strace;
  }
  // So that an acquire at its commit asks no git how the slot stands.
  [[nodiscard]] bool sealed() const {
    return wait_until([&] { return world.slot("slot-0")["sealed"] == true; });
  }
  void give_back(Process& strace) const {
    strace.signal(SIGTERM);
    (void)strace.wait();
  }
  [[nodiscard]] std::size_t refused() const {
    std::size_t count = 0;
    for (const auto& line : lines_of(read_text(trace()))) count += line.find("EAGAIN") != std::string::npos ? 1 : 0;
    return count;
  }
  [[nodiscard]] fs::path trace() const { return world.dir() / "trace"; }
  World world;
  Repo repo = world.make_repo();
  fs::path slot = world.root() / "app/slot-0";
  std::string other;
};

TEST_F(ScarceProcesses, AreNoFaultOfTheSlot) {
  for (int time = 0; time < 3; ++time) {
    ASSERT_TRUE(sealed());
    auto strace = take_all();
    auto client = world.start_wtpool({"acquire", "x", "--commit", other});
    // More than the acquire itself: the roll-back has none either.
    ASSERT_TRUE(wait_until([&] { return refused() >= 8; })) << client.err_so_far();
    give_back(strace);
    const auto outcome = client.wait();
    EXPECT_NE(outcome.code, 0);
    EXPECT_NE(outcome.err.find("Resource temporarily unavailable"), std::string::npos) << outcome;
    EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
    EXPECT_FALSE(fs::exists(marker_of(slot)));
  }
  EXPECT_EQ(world.acquire("x", {"--commit", other}), slot);
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(ScarceProcesses, HinderNobodyWhoNeedsThreadsAlone) {
  ASSERT_TRUE(sealed());
  auto strace = take_all();
  EXPECT_EQ(world.acquire("x"), slot);
  EXPECT_GT(refused(), 0u);
  const auto released = world.wtpool({"release", "x"});
  EXPECT_EQ(released.code, 0) << released;
  give_back(strace);
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_EQ(world.acquire("x"), slot);
}

}  // namespace
}  // namespace wtpool::test
