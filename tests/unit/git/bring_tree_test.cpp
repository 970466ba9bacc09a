// What moves with the tree when it is brought to another commit, and what stays.
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class BringTree : public GitRoom {};

TEST_F(BringTree, ABranchThatHeadStandsOnIsNotMovedAlong) {
  make_source();
  // What makes an index large is the length of its paths, too; and more changes than a few.
  sh(source_dir,
     "o=$(git hash-object -w --stdin </dev/null) && d=$(printf %0240d 0) && long=$d/$d/$d/$d/$d/$d/$d/$d/$d/$d/$d/$d && "
     "seq 1 1500 | sed \"s|.*|100644 $o\t$long/&|\" | git update-index --index-info && git commit -qm large && "
     "git checkout -q -f");
  const Git git = ready_slot();
  const Oid from = id("HEAD");
  sh(source_dir, "mkdir new && for i in $(seq 1 150); do echo $i > new/$i; done && git add new && git commit -qm two");
  const Oid to = id("HEAD");
  sh(slot_path(), "git switch -q -c topic");
  EXPECT_EQ(bring_tree(git, from, to), from);
  EXPECT_EQ(id("topic"), from);
  EXPECT_EQ(read(entry() + "/HEAD"), "ref: refs/heads/topic\n");
  EXPECT_EQ(read(slot_path() / "new/7"), "7\n");
}

}  // namespace
}  // namespace wtpool::git
