#include "daemon/git/process/own_locks.hpp"

#include "daemon/git/source/add_worktree.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

using namespace std::chrono_literals;

class OwnLocks : public GitRoom {};

TEST_F(OwnLocks, OfTheDeadGoAndThoseOfTheLivingStay) {
  make_source();
  (void)ready_slot();
  write(entry() + "/HEAD.lock", "");
  write(entry() + "/index.lock", "");
  write(entry() + "/refs/worktree/kept.lock", "");
  EXPECT_TRUE(heal_own_locks(entry(), slot_path(), 0ms).empty());
  EXPECT_FALSE(fs::exists(entry() + "/HEAD.lock"));
  EXPECT_FALSE(fs::exists(entry() + "/index.lock"));
  EXPECT_FALSE(fs::exists(entry() + "/refs/worktree/kept.lock"));

  std::ofstream held(entry() + "/HEAD.lock");  // as a git that works has it
  EXPECT_EQ(heal_own_locks(entry(), slot_path(), 0ms).size(), 1U);
  EXPECT_TRUE(fs::exists(entry() + "/HEAD.lock"));
}

}  // namespace
}  // namespace wtpool::git
