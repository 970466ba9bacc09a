// Only what still is as it was saved is taken away.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/git/tree/reset.hpp"
#include "daemon/git/work/as_saved.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class AsSaved : public GitRoom {
 protected:
  void SetUp() override {
    GitRoom::SetUp();
    tree_ = root / "tree";
    write(tree_ / "a", "one\n");
    write(tree_ / "deep/down/b", "two\n");
  }
  [[nodiscard]] Taken take(const Stamps& stamps) const { return take_saved(tree_, stamps, root / "holding", root / "aside"); }
  fs::path tree_;
};

TEST_F(AsSaved, WhatStandsAsItWasSavedGoesWithTheDirectoriesThatAreEmptyThen) {
  const auto taken = take(stamps_of(tree_, {"a", "deep/down/b", "absent"}));
  EXPECT_TRUE(taken.changed.empty() && taken.aside.empty());
  EXPECT_TRUE(fs::is_empty(tree_));
  EXPECT_FALSE(fs::exists(root / "holding"));
}

TEST_F(AsSaved, WhatHasChangedSinceStays) {
  const auto stamps = stamps_of(tree_, {"a", "deep/down/b"});
  let_clocks_tick(stamps);
  write(tree_ / "a", "ten\n");
  fs::remove(tree_ / "deep/down/b");
  write(tree_ / "deep/down/b", "two\n");
  const auto taken = take(stamps);
  EXPECT_EQ(taken.changed, (std::vector<std::string>{"a", "deep/down/b"}));
  EXPECT_EQ(read(tree_ / "a"), "ten\n");
  EXPECT_EQ(read(tree_ / "deep/down/b"), "two\n");
}

TEST_F(AsSaved, NoSymlinkOnTheWayIsFollowed) {
  const auto stamps = stamps_of(tree_, {"deep/down/b"});
  fs::rename(tree_ / "deep", root / "elsewhere");
  fs::create_symlink(root / "elsewhere", tree_ / "deep");
  (void)take(stamps);
  EXPECT_EQ(read(root / "elsewhere/down/b"), "two\n");
}

TEST_F(AsSaved, WhatAKillLeftBetweenTheTwoLooksIsRescued) {
  write(root / "holding/7", "half way\n");
  EXPECT_TRUE(rescue_held(root / "holding", root / "aside"));
  EXPECT_EQ(read(root / "aside/held-7"), "half way\n");
  EXPECT_FALSE(rescue_held(root / "holding", root / "aside"));
}

TEST_F(AsSaved, AResetWritesWhatIsMissingAndOverwritesNothing) {
  make_source();
  const Git git = ready_slot();
  sh(slot_path(), "git rm -q dir/inner && echo new >added && git add added");
  write(slot_path() / "file", "somebody's\n");
  reset_beside(git, id("HEAD"));
  EXPECT_EQ(read(slot_path() / "file"), "somebody's\n");
  EXPECT_EQ(read(slot_path() / "dir/inner"), "inner\n");
  EXPECT_EQ(sh(slot_path(), "git status --porcelain"), " M file\n?? added");
}

TEST_F(AsSaved, AResetSaysWhenAFileCannotBeWritten) {
  make_source();
  const Git git = ready_slot();
  fs::remove(slot_path() / "file");
  fs::remove_all(slot_path() / "dir");
  sh(source_dir, "rm -rf .git/objects/$(git rev-parse HEAD:file | sed 's#^..#&/#')");
  EXPECT_EQ(kind_of([&] { reset_beside(git, id("HEAD")); }), ErrorKind::git_failed);
}

}  // namespace
}  // namespace wtpool::git
