// Between the moment a slot's place is proven and the moment its tree is written, somebody puts another directory there.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class RecycleOfASwappedPlace : public ::testing::Test {
 protected:
  void start(const std::string& place) {
    world.environment["WTPOOL_FAILPOINT"] = place + ":wait=" + held_up().string();
    write_text(held_up(), "");
    world.start_daemon();
    world.init(repo, {"--max-slots", "1"});
    const auto config = world.root() / "app/.meta/config.yaml";
    write_text(config, read_text(config) + "clean: untracked\n");
    world.stop_daemon();
    world.start_daemon();
    slot = world.acquire("x");
    write_text(slot / "README.md", "work\n");
  }
  // With the slot's own .git file, by which the place alone would be proven.
  void put_another_there(const std::string& when) {
    ASSERT_EQ(world.wtpool({"release", "x"}).code, 0);
    ASSERT_TRUE(wait_until([&] { return happened(when); }));
    fs::rename(slot, world.dir() / "theirs");
    write_text(slot / "README.md", "not of the slot\n");
    write_text(slot / "mine", "not of the slot either\n");
    fs::copy_file(world.dir() / "theirs/.git", slot / ".git");
    fs::remove(held_up());
  }
  [[nodiscard]] bool happened(const std::string& when) const {
    return when == "saved" ? !repo.trash_refs().empty() : read_text(slot / "README.md") == "A repository.\n";
  }
  void expect_untouched() const {
    EXPECT_TRUE(world.wait_for_state("slot-0", "quarantined"));
    EXPECT_EQ(read_text(slot / "README.md"), "not of the slot\n");
    EXPECT_EQ(read_text(slot / "mine"), "not of the slot either\n");
  }
  [[nodiscard]] fs::path held_up() const { return world.dir() / "held-up"; }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
};

TEST_F(RecycleOfASwappedPlace, WritesNoFileThere) {
  start("recycle.before-reset");
  put_another_there("saved");
  expect_untouched();
}

TEST_F(RecycleOfASwappedPlace, RemovesNoFileThere) {
  start("recycle.before-clean");
  put_another_there("reset");
  expect_untouched();
}

}  // namespace
}  // namespace wtpool::test
