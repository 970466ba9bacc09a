// Pools that worktree-pool made: its config, its slots, its markers with two keys.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Adopt : public ::testing::Test {
 protected:
  fs::path pool() const { return world.root() / "app"; }
  void write_config(const std::string& more = {}) const {
    write_text(pool() / ".meta/config.yaml", "schema_version: 1\nsource: " + repo.path().string() +
                                                 "\ndefault_commit: refs/heads/main\nmax_slots: 4\n" + more);
  }
  // A slot as worktree-pool leaves it: a worktree that is not locked; held: with a branch and a marker of two keys.
  fs::path make_slot(const std::string& id, const std::string& held_as = {}) const {
    const auto slot = pool() / id;
    if (held_as.empty()) {
      repo.git({"worktree", "add", "-q", "--detach", slot.string()});
    } else {
      repo.git({"worktree", "add", "-q", "-b", held_as, slot.string()});
      write_text(marker_of(slot), "started_at: 2026-05-05T03:34:56Z\nfull_sha: " + repo.head() + "\n");
    }
    return slot;
  }
  World world;
  Repo repo = world.make_repo();
};

TEST_F(Adopt, AnIdleSlotIsIdleAndIsHandedOut) {
  write_config();
  const auto slot = make_slot("slot-0");
  write_text(slot / "build/cache", "warm");
  world.start_daemon();
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  EXPECT_EQ(world.acquire("x"), slot);
  EXPECT_EQ(read_text(slot / "build/cache"), "warm");
}

TEST_F(Adopt, AHeldSlotIsADurableLeaseNamedByItsHead) {
  write_config();
  const auto slot = make_slot("slot-1", "old-work");
  world.start_daemon();
  const auto element = world.slot("slot-1");
  EXPECT_EQ(element["state"], "held");
  EXPECT_EQ(element["name"], "old-work");
  EXPECT_EQ(element["branch"], "old-work");
  EXPECT_EQ(element["started_at"], "2026-05-05T03:34:56Z");
  EXPECT_EQ(element["lease"]["kind"], "durable");
  EXPECT_TRUE(element["lease"]["expires_at"].is_null());
  EXPECT_EQ(world.wtpool({"acquire", "old-work"}).code, 6);
  EXPECT_EQ(trimmed(world.wtpool({"path", "old-work"}).out), slot.string());
  write_text(slot / "README.md", "work\n");
  world.release("old-work");
  EXPECT_EQ(world.state_of("slot-1"), "idle");
  EXPECT_FALSE(repo.has_branch("old-work"));
  EXPECT_EQ(repo.trash_refs().size(), 1u);
}

TEST_F(Adopt, ACommitMadeSinceIsKeptAtRelease) {
  write_config();
  const auto slot = make_slot("slot-0", "old-work");
  const auto tip = Repo(slot).commit("work.txt", "work\n");
  world.start_daemon();
  world.release("old-work");
  ASSERT_EQ(repo.trash_refs().size(), 1u);
  EXPECT_EQ(repo.git({"rev-parse", repo.trash_refs()[0]}), tip);
}

TEST_F(Adopt, ItsSlotsAreLockedAgainstPruning) {
  write_config();
  make_slot("slot-0");
  make_slot("slot-1", "old-work");
  world.start_daemon();
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  const auto list = repo.git({"worktree", "list", "--porcelain"});
  std::size_t locked = 0;
  for (const auto& line : lines_of(list)) locked += line == "locked wtpool app";
  EXPECT_EQ(locked, 2u) << list;
}

TEST_F(Adopt, GroupsAreReadInBothSpellings) {
  for (const auto* groups : {"groups: [ios, android]\n", "groups: \"ios,android\"\n", "groups: ios,android\n"}) {
    write_config(groups);
    const auto slot = fs::exists(pool() / "ios-0") ? pool() / "ios-0" : make_slot("ios-0");
    world.start_daemon();
    EXPECT_EQ(world.json_of({"ls"}).size(), 8u) << groups;
    EXPECT_EQ(world.acquire("x", {"--group", "ios"}), slot);
    world.release("x");
    world.stop_daemon();
  }
}

TEST_F(Adopt, TheReferenceToolFindsItsFilesAgainAfterwards) {
  write_config();
  const auto slot = make_slot("slot-0");
  world.start_daemon();
  world.acquire("x");
  const auto lines = yaml_lines(read_text(marker_of(slot)));
  EXPECT_TRUE(lines.at(0).starts_with("started_at: "));
  EXPECT_EQ(lines.at(1), "full_sha: " + repo.head());
  world.release("x");
  EXPECT_FALSE(fs::exists(marker_of(slot)));
}

TEST_F(Adopt, APoolBehindASymlinkIsServed) {
  const auto elsewhere = world.dir() / "disk/app";
  fs::create_directories(elsewhere);
  fs::create_directory_symlink(elsewhere, pool());
  write_config();
  world.start_daemon();
  const auto slot = world.acquire("x");
  EXPECT_EQ(fs::canonical(slot), elsewhere / "slot-0");
  world.release("x");
}

TEST_F(Adopt, APoolWhoseLockIsHeldElsewhereIsUnavailableAndTheOthersAreServed) {
  write_config();
  make_slot("slot-0");
  const auto other = world.make_repo("other");
  const auto lock = pool() / ".meta/pool.lock";
  write_text(lock, "");
  Process holder({.argv = {"flock", lock.string(), "sleep", "600"}, .environment = world.environment});
  ASSERT_TRUE(wait_until([&] {
    return run({.argv = {"flock", "-n", lock.string(), "true"}, .environment = world.environment}).code != 0;
  }));
  world.start_daemon();
  world.init(other);
  EXPECT_EQ(world.wtpool({"--pool", "other", "acquire", "x"}).code, 0);
}

}  // namespace
}  // namespace wtpool::test
