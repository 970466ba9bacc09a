// The main path on a tree of the size people have. The fixture is built once, outside the tree, by `tests/bench/fixtures
// large`.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

std::size_t files_in(const fs::path& slot) { return lines_of(git(slot, {"ls-files"})).size(); }

TEST(LargeTree, IsAcquiredWorkedInReleasedAndAcquiredAgain) {
  const char* fixture = std::getenv("WTPOOL_LARGE_REPO");
  if (fixture == nullptr) GTEST_SKIP() << "takes minutes: asked for with WTPOOL_LARGE_REPO=$(tests/bench/fixtures large)";
  World world;
  const Repo source = Repo::clone(world.dir() / "linux", Repo(fixture));
  const std::string before = source.everything();
  world.start_daemon();
  world.init(source, {"--max-slots", "1"});
  const World::Options patient{.directory = {}, .environment = {}, .deadline = std::chrono::minutes(5)};

  ASSERT_EQ(world.wtpool({"acquire", "first"}, patient).code, 0);
  const fs::path slot = world.root() / "linux" / "slot-0";
  EXPECT_GT(files_in(slot), 50'000U);
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  write_text(slot / "vmlinux.o", "warm");
  write_text(slot / "MAINTAINERS", "changed\n");
  ASSERT_EQ(world.wtpool({"release", "first", "--wait"}, patient).code, 0);
  EXPECT_EQ(source.trash_refs().size(), 1U);
  EXPECT_EQ(read_text(slot / "vmlinux.o"), "warm");

  // A hundred commits away: the same directory, the caches still warm, nothing of the last holder's changes.
  const Outcome again = world.wtpool({"acquire", "second", "--commit", "main~100"}, patient);
  ASSERT_EQ(again.code, 0) << again;
  EXPECT_EQ(trimmed(again.out), slot.string());
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), source.git({"rev-parse", "main~100"}));
  EXPECT_EQ(git(slot, {"status", "--porcelain", "--untracked-files=no"}), "");
  EXPECT_EQ(read_text(slot / "vmlinux.o"), "warm");
  ASSERT_EQ(world.wtpool({"release", "second", "--wait"}, patient).code, 0);

  for (const auto& ref : source.trash_refs()) source.git({"update-ref", "-d", ref});
  fs::remove(slot / "vmlinux.o");
  ASSERT_EQ(world.wtpool({"remove", "slot-0"}, patient).code, 0);
  ASSERT_EQ(world.wtpool({"remove", "--pool", "linux"}, patient).code, 0);
  EXPECT_EQ(source.everything(), before);
}

}  // namespace
}  // namespace wtpool::test
