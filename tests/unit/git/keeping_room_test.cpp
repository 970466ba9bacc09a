// What is about to be kept is safe from whoever deletes objects of the source meanwhile.
#include "daemon/git/work/keeping_room.hpp"

#include <algorithm>

#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class Rooms : public GitRoom {
 protected:
  void SetUp() override {
    GitRoom::SetUp();
    make_source();
  }
  [[nodiscard]] std::size_t packs(const std::string& ending) const {
    std::size_t count = 0;
    for (const auto& file : fs::directory_iterator(common + "/objects/pack")) count += file.path().extension() == ending;
    return count;
  }
  [[nodiscard]] bool is_whole(const Oid& commit) const {
    return sh(source_dir, "git rev-list --objects " + commit.str() + " >/dev/null && echo whole", true) == "whole";
  }
};

TEST_F(Rooms, APruneThatBeganBeforeTheRefTakesNothingOfWhatIsHeld) {
  const Git git = ready_slot();
  write(slot_path() / "file", "changed\n");
  write(slot_path() / "new", "new\n");
  const auto seen = look(git, Untracked::all, true);
  Saved saved = save_work(git, {"x", id("main"), seen.changed, seen.untracked, 1 << 20, 1000, root / "trash"});
  ASSERT_TRUE(saved.work);
  sh(source_dir, "git prune --expire=now && git gc -q --prune=now && git repack -q -a -d && git prune --expire=now");
  ASSERT_TRUE(saved.pack.stands());
  EXPECT_TRUE(is_whole(*saved.work));
  RefTransaction transaction;
  transaction.create(trash_ref("ID", "work"), *saved.work);
  transaction.commit(source());
  saved.pack.let_go();
  EXPECT_EQ(packs(".keep"), 0u);
  sh(source_dir, "git gc -q --prune=now");
  EXPECT_TRUE(is_whole(*saved.work));
  EXPECT_EQ(sh(source_dir, "git fsck --no-dangling"), "");
}

TEST_F(Rooms, CommitsOfAHolderAreHeldTheSame) {
  (void)ready_slot();
  write(slot_path() / "file", "committed\n");
  sh(slot_path(), "git commit -qam mine");
  const Oid tip(sh(slot_path(), "git rev-parse HEAD"));
  HeldPack pack = hold_objects(source(), {tip}, {id("main")});
  // As a prune does that has looked at the refs before.
  sh(source_dir, "git -C '" + slot_path().string() + "' checkout -q --detach main && rm -f .git/worktrees/slot-0/logs/HEAD && "
                 "git prune --expire=now");
  EXPECT_TRUE(pack.stands());
  EXPECT_TRUE(is_whole(tip));
}

TEST_F(Rooms, OfWhatIsInPacksAlreadyNothingIsPackedAgain) {
  sh(source_dir, "git repack -q -a -d");
  const auto before = packs(".pack");
  const HeldPack pack = hold_objects(source(), {id("main")}, {});
  EXPECT_TRUE(pack.stands());
  EXPECT_EQ(packs(".pack"), before);
}

TEST_F(Rooms, ADamagedObjectIsSaidAndNothingIsHeld) {
  (void)ready_slot();
  write(slot_path() / "file", "committed\n");
  sh(slot_path(), "git commit -qam mine");
  const Oid tip(sh(slot_path(), "git rev-parse HEAD"));
  sh(source_dir, "rm -f .git/objects/$(git rev-parse " + tip.str() + ":file | sed 's#^..#&/#')");
  EXPECT_EQ(kind_of([&] { (void)hold_objects(source(), {tip}, {id("main")}); }), ErrorKind::quarantined);
  EXPECT_EQ(packs(".keep"), 0u);
}

TEST_F(Rooms, AKeepOfSomebodyElsesStays) {
  sh(source_dir, "for p in .git/objects/pack/*.pack; do :; done; git repack -q -a -d && "
                 "for p in .git/objects/pack/*.pack; do touch ${p%.pack}.keep; done");
  { const HeldPack pack = hold_objects(source(), {id("main")}, {}); }
  EXPECT_EQ(packs(".keep"), 1u);
}

}  // namespace
}  // namespace wtpool::git
