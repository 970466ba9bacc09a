// Which source a place belongs to is known, and not guessed from what its directories are called.
#include "common/base/clock.hpp"
#include "daemon/git/process/killed_gits.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

// Bare sources in a directory that is called as the one in a source where git keeps its worktrees.
class Places : public GitRoom {
 protected:
  void SetUp() override {
    GitRoom::SetUp();
    make_source();
    for (const std::string name : {"one.git", "two.git"}) sh(root, "git clone -q --bare source worktrees/" + name);
  }
  void TearDown() override {
    forget_killed(one().git_dir, wall_now() + 1000);
    forget_killed(root.string(), wall_now() + 1000);
    GitRoom::TearDown();
  }
  [[nodiscard]] Place one() const { return {(root / "worktrees/one.git").string(), {}}; }
  [[nodiscard]] Place two() const { return {(root / "worktrees/two.git").string(), {}}; }
};

TEST_F(Places, BelongToTheSourceThatTheySay) {
  EXPECT_EQ(common_dir_of(one()), one().git_dir);
  EXPECT_EQ(common_dir_of(source().place()), common);
  EXPECT_EQ(common_dir_of(slot().place()), common);
  EXPECT_EQ(common_dir_of({}), "");
}

TEST_F(Places, AGitThatWasKilledThereIsOnItsRecord) {
  shim("kill -KILL $$\n");
  Command command;
  command.arguments = {"rev-parse", "HEAD"};
  EXPECT_EQ(kind_of([&] { (void)Git(one(), {}).run(command); }), ErrorKind::git_failed);
  EXPECT_EQ(killed_in(one().git_dir).size(), 1u);
  EXPECT_TRUE(killed_in(root.string()).empty());
}

TEST_F(Places, AFilterOfTheOneIsSwitchedOffThoughTheOtherHasNone) {
  const auto ran = root / "ran";
  Command hash;
  hash.arguments = {"hash-object", "--path=x.evil", "--stdin"};
  hash.input = "text\n";
  hash.may_filter = true;
  fs::create_directories(two().git_dir + "/info");
  write(two().git_dir + "/info/attributes", "*.evil filter=evil\n");
  const std::string plain = Git(one(), {}).must(hash);
  sh(two().git_dir, "git config filter.evil.clean 'echo >> " + ran.string() + "; cat'");
  EXPECT_EQ(Git(two(), {}).must(hash), plain);
  EXPECT_FALSE(fs::exists(ran));
}

}  // namespace
}  // namespace wtpool::git
