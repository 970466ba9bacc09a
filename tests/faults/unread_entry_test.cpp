// An entry that cannot be read for a while is somebody's still: no other pool of the source takes it away.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

// Whoever opens the file gets EIO while the value lives; not the daemon's gits, which would say so.
Process failing_to_open(const World& world, const fs::path& file, pid_t daemon) {
  std::vector<std::string> argv = {"strace", "-qq", "-o", "/dev/null", "-P", file.string(), "-e", "inject=openat:error=EIO"};
  std::vector<fs::path> threads;
  for (const auto& thread : fs::directory_iterator("/proc/" + std::to_string(daemon) + "/task")) {
    argv.insert(argv.end(), {"-p", thread.path().filename().string()});
    threads.push_back(thread.path());
  }
  Process strace({.argv = argv, .environment = world.environment});
  EXPECT_TRUE(wait_until([&] {
    for (const auto& thread : threads)
      if (read_text(thread / "status").find("TracerPid:\t0\n") != std::string::npos) return false;
    return true;
  })) << strace.err_so_far();
  return strace;
}

TEST(UnreadEntry, OfAHeldSlotIsLeftToItsHolder) {
  World world;
  if (run({.argv = {"strace", "-o", "/dev/null", "true"}, .environment = git_environment()}).code != 0)
    GTEST_SKIP() << "strace does not work here";
  const auto repo = world.make_repo();
  world.start_daemon();
  world.init(repo, {"--pool", "one"});
  world.init(repo, {"--pool", "two"});
  const auto held = world.acquire("x", {"--pool", "one"});
  const auto entry = gitdir_of(held);
  auto strace = failing_to_open(world, entry / "gitdir", world.daemon().pid());
  const auto outcome = world.wtpool({"acquire", "y", "--pool", "two"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  strace.signal(SIGTERM);
  (void)strace.wait();
  EXPECT_TRUE(fs::exists(entry / "gitdir"));
  EXPECT_EQ(git(held, {"status", "--porcelain"}), "");
  EXPECT_EQ(repo.complaint(), "");
  EXPECT_EQ(world.wtpool({"release", "x", "--pool", "one", "--wait"}).code, 0);
  EXPECT_EQ(world.wtpool({"release", "y", "--pool", "two", "--wait"}).code, 0);
}

}  // namespace
}  // namespace wtpool::test
