// `repair`: which slots it takes, and what it says of what it kept. And who is told of slots that wait for it.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

bool says(const Outcome& outcome, const std::string& text) { return outcome.err.find(text) != std::string::npos; }

class Repair : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo, {"--max-slots", "2"});
    slot = world.acquire("x");
  }
  [[nodiscard]] fs::path trash() const { return world.root() / "app/.meta/trash"; }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
};

TEST_F(Repair, TakesWhatAReleaseWithoutAnEntryLeft) {
  write_text(slot / "README.md", "work\n");
  fs::remove_all(gitdir_of(slot));
  const auto released = world.wtpool({"release", "x", "--wait"});
  EXPECT_EQ(released.code, 0) << released;
  EXPECT_TRUE(says(released, "still in " + slot.string())) << released;
  EXPECT_EQ(read_text(slot / "README.md"), "work\n");
  EXPECT_EQ(world.state_of("slot-0"), "quarantined");
  EXPECT_NE(world.wtpool({"doctor"}).out.find("hint: wtpool repair slot-0 --pool app"), std::string::npos);
  const auto repaired = world.wtpool({"repair", "slot-0"});
  EXPECT_EQ(repaired.code, 0) << repaired;
  EXPECT_EQ(world.state_of("slot-0"), "fresh");
  const auto entries = world.json_of({"trash", "ls"});
  ASSERT_EQ(entries.size(), 1u) << entries;
  EXPECT_EQ(read_text(trash() / entries[0].value("id", "") / "slot-0/README.md"), "work\n");
  EXPECT_EQ(world.acquire("y"), slot);
}

TEST_F(Repair, SaysOnlyWhereSomethingIs) {
  world.release("x");
  write_text(slot / "README.md", "work\n");
  fs::remove_all(gitdir_of(slot));
  const auto files_alone = world.wtpool({"repair", "slot-0"});
  EXPECT_EQ(files_alone.code, 0) << files_alone;
  EXPECT_TRUE(says(files_alone, ": " + trash().string())) << files_alone;
  EXPECT_FALSE(says(files_alone, "refs/wtpool/trash")) << files_alone;

  world.acquire("y");
  write_text(slot / "README.md", "work\n");
  world.stop_daemon();
  write_text(marker_of(slot), "nothing\n");
  world.start_daemon();
  const auto refs_alone = world.wtpool({"repair", "slot-0"});
  EXPECT_EQ(refs_alone.code, 0) << refs_alone;
  EXPECT_TRUE(says(refs_alone, "refs/wtpool/trash/")) << refs_alone;
  EXPECT_FALSE(says(refs_alone, trash().string())) << refs_alone;
}

TEST_F(Repair, TakesAnIdleSlotThatNobodyHasLookedAtSince) {
  world.release("x");
  write_text(slot / "README.md", "work\n");
  fs::remove(slot / ".git");
  const auto outcome = world.wtpool({"repair", "slot-0"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  ASSERT_EQ(repo.trash_refs().size(), 1u);
}

TEST_F(Repair, RefusesASlotThatIsAsItShouldBe) {
  EXPECT_TRUE(says(world.wtpool({"repair", "slot-0"}), "is not quarantined")) << "held";
  EXPECT_TRUE(says(world.wtpool({"repair", "slot-1"}), "is not quarantined")) << "fresh";
  world.release("x");
  write_text(slot / "README.md", "of whoever is in it\n");
  EXPECT_TRUE(says(world.wtpool({"repair", "slot-0"}), "is not quarantined")) << "idle";
  EXPECT_EQ(read_text(slot / "README.md"), "of whoever is in it\n");
}

TEST_F(Repair, IsNamedToWhoWaitsForASlotThatIsQuarantined) {
  const auto other = world.acquire("y");
  for (const auto& each : {slot, other}) fs::remove(each / ".git");
  EXPECT_EQ(world.wtpool({"release", "x"}).code, 12);
  const auto one = world.wtpool({"acquire", "z"});
  EXPECT_EQ(one.code, 12) << one;
  EXPECT_TRUE(says(one, "1 held, 1 quarantined")) << one;
  EXPECT_TRUE(says(one, "hint: wtpool repair slot-0 --pool app")) << one;
  EXPECT_EQ(world.wtpool({"release", "y"}).code, 12);
  const auto none = world.wtpool({"acquire", "z"});
  EXPECT_EQ(none.code, 12) << none;
  EXPECT_TRUE(says(none, "hint: wtpool repair slot-0 --pool app")) << none;
  const auto waited = world.wtpool({"acquire", "z", "--wait=1s"});
  EXPECT_EQ(waited.code, 8) << waited;
  EXPECT_TRUE(says(waited, "of which 2 are quarantined")) << waited;
  EXPECT_TRUE(says(waited, "hint: wtpool repair slot-0 --pool app")) << waited;
}

}  // namespace
}  // namespace wtpool::test
