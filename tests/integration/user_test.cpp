// What people trip over: the words of the programs, and repositories as people have them.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class User : public ::testing::Test {
 protected:
  static bool says(const Outcome& outcome, const std::string& words) { return outcome.err.find(words) != std::string::npos; }
  World world;
};

TEST_F(User, HasARemoteAtARelativePath) {
  const Repo repo = world.make_repo();
  const Repo origin = Repo::make_bare(world.dir() / "origin.git", repo);
  repo.git({"remote", "add", "origin", fs::relative(origin.path(), repo.path()).string()});
  repo.git({"fetch", "-q", "origin"});
  git(world.dir(), {"clone", "-q", origin.path().string(), "colleague"});
  const Repo colleague(world.dir() / "colleague");
  const auto wanted = colleague.commit("new.txt", "new\n");
  colleague.git({"push", "-q", "origin", "HEAD"});
  world.start_daemon();
  world.init(repo);
  const auto slot = world.acquire("x", {"--commit", wanted});
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), wanted);
  repo.git({"push", "-q", "origin", "x"});
  world.release("x", {"--delete-remote"});
  EXPECT_TRUE(wait_until([&] { return !origin.has_branch("x"); }, 20s));
}

TEST_F(User, IsToldWhatCouldNotBeResolvedWhenTheFetchFails) {
  const Repo repo = world.make_repo();
  repo.git({"remote", "add", "origin", "/nowhere.git"});
  world.start_daemon();
  world.init(repo);
  const auto outcome = world.wtpool({"acquire", "x", "--commit", "nosuch"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_TRUE(says(outcome, "cannot resolve 'nosuch'")) << outcome;
  EXPECT_TRUE(says(outcome, "cannot fetch from /nowhere.git")) << outcome;
}

TEST_F(User, IsToldThatTheSourceIsGone) {
  const Repo repo = world.make_repo();
  world.start_daemon();
  world.init(repo);
  fs::rename(repo.path(), repo.path().string() + ".moved");
  const auto outcome = world.wtpool({"acquire", "x"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_TRUE(says(outcome, "there is no such directory")) << outcome;
  EXPECT_FALSE(says(outcome, "cat-file")) << outcome;
}

TEST_F(User, IsToldHowToHaveABranchThatIsCheckedOut) {
  const Repo repo = world.make_repo();
  world.start_daemon();
  world.init(repo);
  const auto outcome = world.wtpool({"acquire", "main"});
  EXPECT_EQ(outcome.code, 9) << outcome;
  EXPECT_TRUE(says(outcome, "hint: wtpool acquire ANOTHER --commit main")) << outcome;
}

TEST_F(User, IsNotAdvisedToCloseADirectoryOfOthers) {
  const auto shared = world.dir() / "shared";
  fs::create_directory(shared);
  fs::permissions(shared, fs::perms::all);
  const auto outcome = world.wtpool({"--socket", (shared / "s").string(), "ls"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_TRUE(says(outcome, "open to other users")) << outcome;
  EXPECT_FALSE(says(outcome, "chmod")) << outcome;
}

TEST_F(User, IsToldByTheDoctorThatTheSocketsPathIsTooLong) {
  world.environment.erase("WTPOOL_SOCKET");
  world.environment["XDG_RUNTIME_DIR"] = (world.dir() / std::string(150, 'x')).string();
  const auto outcome = world.wtpool({"doctor"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.out.find("this system takes at most"), std::string::npos) << outcome;
}

TEST_F(User, IsToldWhereRemovedWorkIs) {
  const Repo repo = world.make_repo();
  world.start_daemon();
  world.init(repo);
  write_text(world.acquire("x") / "notes.txt", "left behind\n");
  world.release("x");
  const auto outcome = world.wtpool({"remove", "--pool", "app"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  ASSERT_EQ(repo.trash_refs().size(), 1u);
  const auto kept = fs::path(repo.trash_refs().front()).parent_path().string();
  EXPECT_TRUE(
      says(outcome, "work left in slot-0 is kept as " + fs::path(kept).filename().string() + ": " + kept + " in the source"))
      << outcome;
}

TEST_F(User, MisspellsAVerb) {
  const auto outcome = world.wtpool({"aquire", "x"});
  EXPECT_EQ(outcome.code, 2) << outcome;
  EXPECT_TRUE(says(outcome, "there is no verb 'aquire'")) << outcome;
  EXPECT_TRUE(says(world.wtpool({"trash", "list"}), "there is no verb 'list'; did you mean ls?"));
  EXPECT_TRUE(says(world.wtpool({"trash"}), "no verb is given; there are ls, restore, drop"));
  EXPECT_TRUE(says(world.wtpool({"run", "x", "make"}), "run takes the command after `--`"));
  EXPECT_EQ(world.wtpool({"acquire", "x", "--commit", ""}).code, 2);
}

}  // namespace
}  // namespace wtpool::test
