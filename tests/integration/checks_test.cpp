// What `wtpoold --check` looks at, when it is told to look at a part alone.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Checks : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo);
    world.init(other);
  }
  [[nodiscard]] Outcome check(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "--check");
    return world.start_wtpoold(std::move(arguments)).wait();
  }
  World world;
  Repo repo = world.make_repo();
  Repo other = world.make_repo("other");
};

TEST_F(Checks, OfTheDoctorAreOfThePoolAloneThatIsNamed) {
  fs::rename(other.path(), world.dir() / "away");
  EXPECT_EQ(check({"doctor"}).code, 1);
  const auto outcome = check({"doctor", "--pool", "app"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.out.find("pool app"), std::string::npos) << outcome;
  EXPECT_EQ(outcome.out.find("pool other"), std::string::npos) << outcome;
  EXPECT_EQ(check({"doctor", "--pool", "other"}).code, 1);
}

TEST_F(Checks, OfTheDoctorRepairThePoolAloneThatIsNamed) {
  const auto slot = trimmed(world.wtpool({"--pool", "app", "acquire", "x"}).out);
  const auto others = trimmed(world.wtpool({"--pool", "other", "acquire", "x"}).out);
  world.stop_daemon();
  repo.git({"worktree", "unlock", slot});
  other.git({"worktree", "unlock", others});
  const auto outcome = check({"doctor", "--repair", "--pool", "app"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(outcome.err.find("pool other"), std::string::npos) << outcome;
  EXPECT_TRUE(fs::exists(gitdir_of(slot) / "locked"));
  EXPECT_FALSE(fs::exists(gitdir_of(others) / "locked"));
}

TEST_F(Checks, OfAPoolThatIsNotThereAreRefused) {
  for (const auto* what : {"doctor", "unstick"}) {
    const auto outcome = check({what, "--pool", "nope"});
    EXPECT_EQ(outcome.code, 1) << outcome;
    EXPECT_EQ(outcome.out, "") << outcome;
    EXPECT_NE(outcome.err.find("cannot look at pool nope: there is none below " + world.root().string()), std::string::npos)
        << outcome;
  }
  fs::remove(world.root() / "other/.meta/config.yaml");
  const auto lost = check({"doctor", "--pool", "other"});
  EXPECT_NE(lost.out.find("config.yaml is not there"), std::string::npos) << lost;
}

TEST_F(Checks, OfTheLockOfASlotShowNoOtherLock) {
  const auto all = check({"unstick"});
  EXPECT_NE(all.out.find("instance"), std::string::npos) << all;
  const auto outcome = check({"unstick", "--pool", "app", "--slot", "slot-0"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(outcome.out, "no lock is held\n");
}

TEST_F(Checks, OfTheLockOfASlotThatCannotBeAreRefused) {
  const auto unknown = world.wtpool({"unstick", "--slot", "nope"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_NE(unknown.err.find("no such slot"), std::string::npos) << unknown;
  EXPECT_EQ(world.wtpool({"unstick", "--slot", "slot-0"}).code, 0) << "one that may be made is known";
}

}  // namespace
}  // namespace wtpool::test
