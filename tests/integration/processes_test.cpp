// How many gits an acquire and a release start: counted by a `git` that stands first in the daemon's PATH, writes down what it
// was asked and becomes the real one. The source's long-lived helpers are started before the counting begins.
#include <gtest/gtest.h>

#include <sstream>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Processes : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto shim = world.dir() / "shim/git";
    const auto path = world.environment["PATH"];
    fs::create_directories(shim.parent_path());
    write_text(shim, "#!/bin/sh\nPATH='" + path + "'\nprintf '%s\\n' \"$*\" >> '" + log().string() + "'\nexec git \"$@\"\n");
    fs::permissions(shim, fs::perms::owner_all);
    world.environment["PATH"] = shim.parent_path().string() + ":" + path;
    world.environment["WTPOOL_FAILPOINT"] = "recycle.begun:wait=" + held_up().string();
    world.start_daemon();
    world.init(repo, {"--max-slots", "1"});
    // The slot, the helpers and what is remembered of the configuration.
    for (const char* name : {"first", "second"}) {
      slot = world.acquire(name);
      world.release(name);
    }
  }
  [[nodiscard]] fs::path log() const { return world.dir() / "gits"; }
  [[nodiscard]] fs::path held_up() const { return world.dir() / "hold-recycle"; }
  // What was started since the last call, without the safe settings.
  std::vector<std::string> started() {
    std::vector<std::string> lines;
    std::istringstream text(fs::exists(log()) ? read_text(log()) : std::string());
    for (std::string line; std::getline(text, line);) {
      if (line.find("rev-list") == std::string::npos) lines.push_back(line);  // of the tip's line, which nobody waits for
    }
    fs::remove(log());
    return lines;
  }
  static std::string listed(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) text += "\n  " + line;
    return text;
  }
  bool wait_until_sealed() {
    return wait_until([&] { return world.slot("slot-0")["sealed"] == true; }, 20s);
  }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
};

// Where nothing is sealed in the background either, so that every git is somebody's.
class ProcessesUnsealed : public Processes {
 protected:
  ProcessesUnsealed() {
    const auto config = world.dir() / "config/wtpool";
    fs::create_directories(config);
    write_text(config / "wtpoold.yaml", "seal: false\nfollow_tip: false\n");
  }
};

TEST_F(Processes, ASealedSlotAtTheCommitTakesNoneAndAReleaseNoneBeforeItsAnswer) {
  if (!wait_until_sealed()) GTEST_SKIP() << "nothing is sealed here";
  for (const char* name : {"third", "team/fourth"}) {
    (void)started();
    world.acquire(name);
    const auto acquired = started();
    EXPECT_EQ(acquired.size(), 0u) << listed(acquired);
    EXPECT_EQ(git(slot, {"symbolic-ref", "HEAD"}), std::string("refs/heads/") + name);
    EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
    world.release(name);
    ASSERT_TRUE(wait_until_sealed());
  }
}

TEST_F(ProcessesUnsealed, AnotherCommitTakesThreeAtMost) {
  repo.commit("README.md", "changed\n");
  (void)started();
  world.acquire("third");
  const auto acquired = started();
  EXPECT_LE(acquired.size(), 3u) << listed(acquired);
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), repo.head());
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

TEST_F(ProcessesUnsealed, ASlotThatWasTouchedTakesTwoAtMostAtItsCommit) {
  write_text(slot / "README.md", "strangers\n");
  write_text(slot / "README.md", "A repository.\n");
  (void)started();
  world.acquire("third");
  const auto acquired = started();
  EXPECT_LE(acquired.size(), 2u) << listed(acquired);
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

TEST_F(ProcessesUnsealed, AReleaseTakesOneAtMostBeforeItsAnswer) {
  world.acquire("third");
  // What is recycled after the answer waits, so that its gits are not counted.
  write_text(held_up(), "");
  (void)started();
  const auto outcome = world.wtpool({"release", "third"});
  const auto released = started();
  fs::remove(held_up());
  ASSERT_EQ(outcome.code, 0) << outcome;
  EXPECT_LE(released.size(), 1u) << listed(released);
  EXPECT_FALSE(repo.has_branch("third"));
}

}  // namespace
}  // namespace wtpool::test
