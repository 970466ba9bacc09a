// An acquire of an idle slot, killed at each step between the marker that says what it is about and the one that says that the
// slot is held: the next daemon finds an idle slot and no branch, or the lease, and nothing of the attempt besides.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

struct Kill {
  const char* where;
  bool held = false;  // what the next daemon finds
};
std::ostream& operator<<(std::ostream& out, const Kill& kill) { return out << kill.where; }

enum class Idle { sealed, unsealed, at_another_commit };

class AcquireKilled : public ::testing::TestWithParam<std::tuple<Idle, Kill>> {
 protected:
  // The slot was made and released by a daemon that has no failpoints, so that those of the next one are of one acquire only.
  void SetUp() override {
    const auto config = world.dir() / "config/wtpool/wtpoold.yaml";
    if (idle() != Idle::sealed) {
      world.environment["XDG_CONFIG_HOME"] = (world.dir() / "config").string();
      fs::create_directories(config.parent_path());
      write_text(config, "seal: false\n");
    }
    world.start_daemon();
    world.init(repo);
    slot = world.acquire("before");
    world.release("before");
    if (idle() == Idle::at_another_commit) repo.commit("src/new.c", "int x;\n");
    world.stop_daemon();
    before = repo.git({"for-each-ref"});
    world.environment["WTPOOL_FAILPOINT"] = std::string(kill().where) + ":kill";
    world.start_daemon();
    if (idle() == Idle::sealed && !wait_until([&] { return world.slot("slot-0")["sealed"] == true; }, 20s)) {
      GTEST_SKIP() << "nothing is sealed here";
    }
  }
  [[nodiscard]] static Idle idle() { return std::get<0>(GetParam()); }
  [[nodiscard]] static Kill kill() { return std::get<1>(GetParam()); }
  [[nodiscard]] std::vector<std::string> staged() const {
    std::vector<std::string> names;
    for (const auto& item : fs::directory_iterator(gitdir_of(slot) / "worktree-pool")) {
      if (item.path().extension() == ".tmp") names.push_back(item.path().filename().string());
    }
    return names;
  }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
  std::string before;
};

TEST_P(AcquireKilled, LeavesTheSlotIdleOrTheLeaseAndNothingElse) {
  EXPECT_NE(world.wtpool({"acquire", "x", "--key", "k"}).code, 0);
  world.kill_daemon();
  world.environment.erase("WTPOOL_FAILPOINT");
  world.start_daemon();
  EXPECT_EQ(repo.complaint(), "");
  if (kill().held) {
    EXPECT_EQ(world.state_of("slot-0"), "held");
    EXPECT_EQ(world.acquire("x", {"--key", "k"}), slot) << "the lease is given back by its key";
  } else {
    EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
    EXPECT_FALSE(repo.has_branch("x"));
    EXPECT_FALSE(fs::exists(marker_of(slot)));
    EXPECT_FALSE(try_git(slot, {"symbolic-ref", "-q", "HEAD"}).code == 0);
    EXPECT_EQ(world.acquire("x"), slot);
  }
  EXPECT_EQ(git(slot, {"symbolic-ref", "HEAD"}), "refs/heads/x");
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), repo.head());
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  EXPECT_TRUE(staged().empty()) << staged().front();
  EXPECT_FALSE(fs::exists(gitdir_of(slot) / "HEAD.lock"));
  world.release("x");
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_EQ(repo.git({"for-each-ref"}), before);
  EXPECT_TRUE(repo.trash_refs().empty());
  EXPECT_EQ(repo.complaint(), "");
}

INSTANTIATE_TEST_SUITE_P(Sealed, AcquireKilled,
                         ::testing::Combine(::testing::Values(Idle::sealed),
                                            ::testing::Values(Kill{"acquire.short-way-staged"}, Kill{"file.written@1"},
                                                              Kill{"file.renamed@1"}, Kill{"acquire.marker-written"},
                                                              Kill{"acquire.branch-made"}, Kill{"acquire.head-attached"},
                                                              Kill{"file.written@2"}, Kill{"file.renamed@2", true},
                                                              Kill{"acquire.held", true})));
INSTANTIATE_TEST_SUITE_P(Unsealed, AcquireKilled,
                         ::testing::Combine(::testing::Values(Idle::unsealed, Idle::at_another_commit),
                                            ::testing::Values(Kill{"acquire.marker-written"}, Kill{"acquire.tree-brought"},
                                                              Kill{"acquire.short-way-staged"}, Kill{"acquire.branch-made"},
                                                              Kill{"acquire.head-attached"}, Kill{"acquire.held", true})));

}  // namespace
}  // namespace wtpool::test
