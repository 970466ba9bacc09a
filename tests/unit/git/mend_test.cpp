#include "daemon/git/work/rebuild.hpp"

#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class Mend : public GitRoom {
 protected:
  Git ready() {
    make_source();
    (void)add_worktree(source(), slot_path(), id("HEAD"), "r");
    checkout_fresh(slot(), "feature", id("HEAD"));
    return slot();
  }
  [[nodiscard]] fs::path index() const { return fs::path(entry()) / "index"; }
  std::string status() const { return sh(slot_path(), "git status --porcelain"); }
  [[nodiscard]] fs::path object(const std::string& oid) const {
    return fs::path(common) / "objects" / oid.substr(0, 2) / oid.substr(2);
  }
  void damage(const std::string& oid, const std::string& left) const {
    fs::permissions(object(oid), fs::perms::owner_all);
    write(object(oid), left);
  }
};

TEST_F(Mend, MakesAnIndexAnewFromHeadAndTouchesNoFile) {
  const Git git = ready();
  EXPECT_FALSE(mend_index(git));
  write(slot_path() / "file", "changed\n");
  write(slot_path() / "untracked", "mine");
  const std::string whole = read(index());
  for (const std::string& left : {std::string(), std::string(whole.size(), '\0'), whole.substr(0, 100)}) {
    write(index(), left);
    const auto aside = mend_index(git);
    ASSERT_TRUE(aside);
    EXPECT_EQ(read(*aside), left);
    EXPECT_EQ(status(), " M file\n?? untracked");
    EXPECT_EQ(read(slot_path() / "file"), "changed\n");
    EXPECT_FALSE(mend_index(git));
  }
}

TEST_F(Mend, LeavesOutOfAnIndexWhatASparseCheckoutLeavesOut) {
  const Git git = ready();
  sh(slot_path(), "git sparse-checkout set --no-cone /file");
  ASSERT_EQ(status(), "");
  write(index(), "");
  ASSERT_TRUE(mend_index(git));
  EXPECT_EQ(status(), "");
  EXPECT_FALSE(fs::exists(slot_path() / "dir"));
}

TEST_F(Mend, ChangesNothingWhereHeadCannotBeReadEither) {
  const Git git = ready();
  write(index(), "");
  damage(sh(slot_path(), "git rev-parse HEAD"), "");
  EXPECT_THROW((void)mend_index(git), Error);
  EXPECT_EQ(read(index()), "");
  for (const auto& item : fs::directory_iterator(fs::path(entry()) / "worktree-pool"))
    ADD_FAILURE() << item.path() << " was left behind";
}

TEST_F(Mend, MovesDamagedObjectsAsideAndWritesAgainWhatIsStagedAndStands) {
  const Git git = ready();
  write(slot_path() / "staged", "staged\n");
  sh(slot_path(), "git add staged");
  const std::string blob = sh(slot_path(), "git hash-object staged");
  const std::string tree = sh(slot_path(), "git write-tree");
  const std::string sound = sh(slot_path(), "git rev-parse HEAD");
  damage(blob, "");
  damage(tree, std::string(20, '\0'));
  const std::string said = "error: object file " + object(blob).string() + " is empty\nfatal: unable to read tree " + tree +
                           "\nerror: " + sound + " is sound";
  EXPECT_EQ(set_damaged_objects_aside(git, said), 2U);
  EXPECT_EQ(sh(slot_path(), "git cat-file blob " + blob), "staged");
  EXPECT_FALSE(fs::exists(object(tree)));
  EXPECT_TRUE(fs::exists(object(sound)));
  EXPECT_EQ(sh(slot_path(), "git write-tree"), tree);
  EXPECT_EQ(set_damaged_objects_aside(git, said), 0U);
  EXPECT_EQ(std::distance(fs::directory_iterator(fs::path(common) / "wtpool/aside"), {}), 2);
}

}  // namespace
}  // namespace wtpool::git
