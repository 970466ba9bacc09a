// land, through the real programs: what moves, what follows, what is refused, and what a kill leaves.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Land : public ::testing::Test {
 protected:
  void start(std::vector<std::string> more = {"--max-slots", "4"}) {
    world.start_daemon();
    world.init(repo, std::move(more));
  }
  // A slot with one commit of its own.
  fs::path work(const std::string& name, const std::string& file = {}) {
    const fs::path slot = world.acquire(name);
    write_text(slot / (file.empty() ? name : file), name + "\n");
    git(slot, {"add", "-A"});
    git(slot, {"commit", "-qm", "work of " + name});
    return slot;
  }
  std::string main_tip() const { return repo.git({"rev-parse", "main"}); }
  Outcome land(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "land");
    return world.wtpool(std::move(arguments));
  }
  void configure(const std::string& line) const {
    const fs::path config = world.root() / "app/.meta/config.yaml";
    write_text(config, read_text(config) + line + "\n");
  }

  // What a daemon that was just started does beside its answers: no landing is left to finish.
  bool nothing_is_left() const {
    const fs::path records = repo.common_dir() / "wtpool/land";
    return wait_until([&] { return !fs::exists(records) || fs::is_empty(records); });
  }

  World world;
  Repo repo = world.make_repo();
};

TEST_F(Land, AFastForwardMovesTheTargetAndItsCheckout) {
  start();
  const auto slot = work("feat");
  const auto before = main_tip();
  const auto outcome = land({"feat"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(main_tip(), git(slot, {"rev-parse", "HEAD"}));
  EXPECT_EQ(repo.git({"rev-parse", "main^"}), before);
  EXPECT_EQ(repo.git({"status", "--porcelain"}), "");
  EXPECT_EQ(read_text(repo.path() / "feat"), "feat\n");
  EXPECT_EQ(repo.complaint(), "");
  EXPECT_EQ(repo.git({"for-each-ref", "refs/wtpool/land/"}), "");
  EXPECT_NE(repo.git({"reflog", "-1", "main"}).find("wtpool: land feat"), std::string::npos);
}

TEST_F(Land, TheResultSaysWhatHappened) {
  start();
  work("one");
  const auto slot = work("two");
  ASSERT_EQ(land({"one"}).code, 0);
  const auto before = main_tip();
  const json landed = world.json_of({"land", "two"});
  EXPECT_EQ(keys_of(landed), (std::vector<std::string>{"after", "before", "checkouts", "commits", "followed", "name", "pool",
                                                       "pushed", "released", "style", "target", "tested", "tries"}));
  EXPECT_EQ(landed["before"], before);
  EXPECT_EQ(landed["after"], main_tip());
  EXPECT_EQ(landed["target"], "main");
  EXPECT_EQ(landed["style"], "merge");
  EXPECT_EQ(landed["commits"], 1);
  EXPECT_EQ(landed["tested"], false);
  EXPECT_EQ(landed["tries"], 1);
  EXPECT_EQ(landed["followed"], "two");
  EXPECT_EQ(landed["checkouts"], json::array({{{"path", repo.path().string()}, {"synced", true}}}));
  // The slot stands at the merge, and the target's first parent is what it was.
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), main_tip());
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  EXPECT_EQ(repo.git({"rev-parse", "main^1"}), before);
  EXPECT_EQ(repo.git({"log", "-1", "--format=%s", "main"}), "Merge branch 'two' into main");
}

TEST_F(Land, WhatHasLandedAlreadyIsNoFailure) {
  start();
  work("feat");
  ASSERT_EQ(land({"feat"}).code, 0);
  const auto again = land({"feat"});
  EXPECT_EQ(again.code, 0);
  EXPECT_NE(again.err.find("already landed"), std::string::npos) << again.err;
}

TEST_F(Land, WorkThatIsNotCommittedIsRefused) {
  start();
  const auto slot = work("feat");
  const auto before = main_tip();
  write_text(slot / "README.md", "changed\n");
  EXPECT_EQ(land({"feat"}).code, 11);
  git(slot, {"checkout", "-q", "README.md"});
  write_text(slot / "new", "1\n");
  EXPECT_EQ(land({"feat"}).code, 11);
  EXPECT_EQ(main_tip(), before);
  EXPECT_EQ(land({"nobody"}).code, 1);
  fs::remove(slot / "new");
  write_text(slot / "README.md", "changed\n");
  World::Options who;
  who.environment = {{"GIT_AUTHOR_NAME", "Me"},
                     {"GIT_AUTHOR_EMAIL", "me@localhost"},
                     {"GIT_COMMITTER_NAME", "Me"},
                     {"GIT_COMMITTER_EMAIL", "me@localhost"}};
  const auto committed = world.wtpool({"land", "feat", "-m", "said"}, who);
  ASSERT_EQ(committed.code, 0) << committed.err;
  EXPECT_EQ(repo.git({"log", "-1", "--format=%s", "main"}), "said");
}

TEST_F(Land, AConflictNamesTheFilesAndChangesNothing) {
  start();
  work("one", "README.md");
  const auto slot = work("two", "README.md");
  ASSERT_EQ(land({"one"}).code, 0);
  const auto before = repo.everything();
  const auto head = git(slot, {"rev-parse", "HEAD"});
  const auto refused = land({"two"});
  EXPECT_EQ(refused.code, 14);
  EXPECT_NE(refused.err.find("README.md"), std::string::npos) << refused.err;
  EXPECT_EQ(repo.everything(), before);
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), head);
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

TEST_F(Land, ChangesOfTheTargetsOwnerStayAndWhatIsInTheWayBlocks) {
  start();
  write_text(repo.path() / "Makefile", "mine\n");
  write_text(repo.path() / "untracked", "mine\n");
  work("one");
  ASSERT_EQ(land({"one"}).code, 0);
  EXPECT_EQ(repo.git({"status", "--porcelain"}), " M Makefile\n?? untracked");
  work("two", "untracked");
  const auto before = main_tip();
  auto refused = land({"two"});
  EXPECT_EQ(refused.code, 15);
  EXPECT_NE(refused.err.find("untracked"), std::string::npos) << refused.err;
  EXPECT_EQ(read_text(repo.path() / "untracked"), "mine\n");
  work("three", "Makefile");
  EXPECT_EQ(land({"three"}).code, 15);
  EXPECT_EQ(main_tip(), before);
  fs::remove(repo.path() / "untracked");
  write_text(repo.path() / ".git/index.lock", "");
  EXPECT_EQ(land({"two"}).code, 15);
  fs::remove(repo.path() / ".git/index.lock");
  write_text(repo.path() / ".git/MERGE_HEAD", before + "\n");
  EXPECT_EQ(land({"two"}).code, 15);
  fs::remove(repo.path() / ".git/MERGE_HEAD");
  EXPECT_EQ(land({"two"}).code, 0);
}

TEST_F(Land, AnIgnoredFileInTheWayGoesToTheTrash) {
  start();
  const auto slot = world.acquire("feat");
  write_text(slot / "out.o", "theirs\n");
  git(slot, {"add", "-f", "out.o"});
  git(slot, {"commit", "-qm", "an ignored one"});
  write_text(repo.path() / "out.o", "mine\n");
  const auto landed = land({"feat"});
  ASSERT_EQ(landed.code, 0) << landed.err;
  EXPECT_EQ(read_text(repo.path() / "out.o"), "theirs\n");
  bool kept = false;
  for (const auto& entry : fs::recursive_directory_iterator(world.root() / "app/.meta/trash"))
    kept = kept || (entry.path().filename() == "out.o" && read_text(entry.path()) == "mine\n");
  EXPECT_TRUE(kept);
}

TEST_F(Land, ATargetThatIsCheckedOutNowhereMovesAlone) {
  start();
  repo.git({"switch", "-q", "-c", "elsewhere"});
  work("feat");
  const json landed = world.json_of({"land", "feat"});
  EXPECT_EQ(landed["checkouts"], json::array());
  EXPECT_EQ(repo.git({"status", "--porcelain"}), "");
  EXPECT_FALSE(fs::exists(repo.path() / "feat"));
}

TEST_F(Land, SquashAndRebaseKeepWhatTheBranchHad) {
  start();
  const auto slot = work("feat");
  write_text(slot / "more", "1\n");
  git(slot, {"add", "-A"});
  git(slot, {"commit", "-qm", "more"});
  work("other");
  ASSERT_EQ(land({"other"}).code, 0);
  const auto tip = git(slot, {"rev-parse", "HEAD"});
  const json landed = world.json_of({"land", "feat", "--style", "squash", "-m", "All of it"});
  EXPECT_EQ(landed["style"], "squash");
  EXPECT_EQ(landed["commits"], 2);
  EXPECT_EQ(repo.git({"log", "-1", "--format=%s %P", "main"}), "All of it " + landed["before"].get<std::string>());
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), main_tip());
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  EXPECT_NE(repo.git({"for-each-ref", "--contains", tip, "refs/wtpool/trash/"}), "");
}

TEST_F(Land, TheSlotIsReleasedOrStaysAsAsked) {
  start();
  const auto stays = work("stays");
  work("goes");
  ASSERT_EQ(land({"goes", "--release"}).code, 0);
  EXPECT_TRUE(world.wait_for_state("slot-1", "idle"));
  EXPECT_EQ(world.wtpool({"path", "goes"}).code, 1);
  const auto tip = git(stays, {"rev-parse", "HEAD"});
  const json landed = world.json_of({"land", "stays", "--stay"});
  EXPECT_EQ(landed["followed"], nullptr);
  EXPECT_EQ(git(stays, {"rev-parse", "HEAD"}), tip);
}

TEST_F(Land, ADryRunChangesNothing) {
  start();
  work("feat");
  const auto before = repo.everything();
  const json said = world.json_of({"land", "feat", "--dry-run"});
  EXPECT_NE(said["after"], said["before"]);
  EXPECT_EQ(said["commits"], 1);
  EXPECT_EQ(repo.everything(), before);
  EXPECT_EQ(repo.git({"for-each-ref", "refs/wtpool/land/"}), "");
}

TEST_F(Land, ATestThatPassesLetsItLandAndOneThatFailsDoesNot) {
  start();
  work("good");
  work("bad");
  const json landed = world.json_of({"land", "good", "--test", "test -e good && echo out"});
  EXPECT_EQ(landed["tested"], true);
  const auto before = main_tip();
  // Not a fast-forward any more: the test runs at the merge, in another slot.
  const auto refused = land({"bad", "--test", "test -e good && test -e bad && exit 3"});
  EXPECT_EQ(refused.code, 16) << refused.err;
  EXPECT_EQ(main_tip(), before);
  EXPECT_EQ(repo.git({"for-each-ref", "refs/wtpool/land/"}), "");
  const json second = world.json_of({"land", "bad", "--test", "test -e good && test -e bad"});
  EXPECT_EQ(second["tested"], true);
  EXPECT_FALSE(repo.has_branch("land"));
}

TEST_F(Land, ThePoolsTestRunsUnlessOneSaysNot) {
  start();
  configure("land_test: exit 7");
  work("feat");
  EXPECT_EQ(land({"feat"}).code, 16);
  const json landed = world.json_of({"land", "feat", "--no-test"});
  EXPECT_EQ(landed["tested"], false);
}

TEST_F(Land, TheTargetAndItsUpstreamApartIsRefused) {
  start();
  work("feat");
  const auto other = repo.git({"commit-tree", "-p", "main", "-m", "elsewhere", "main^{tree}"});
  repo.git({"update-ref", "refs/remotes/origin/main", other});
  repo.commit("mine", "1\n");
  EXPECT_EQ(land({"feat"}).code, 15);
  EXPECT_EQ(land({"feat", "--into", "nowhere"}).code, 15);
}

TEST_F(Land, ManyAtOnceAllLandInALine) {
  start({"--max-slots", "6"});
  std::vector<std::string> names;
  for (int i = 0; i < 6; ++i) names.push_back("w" + std::to_string(i));
  for (const auto& name : names) work(name);
  const auto before = main_tip();
  std::vector<Process> landings;
  for (const auto& name : names) landings.push_back(world.start_wtpool({"land", name}));
  for (auto& landing : landings) EXPECT_EQ(landing.wait().code, 0);
  EXPECT_EQ(repo.git({"rev-list", "--count", "--no-merges", before + "..main"}), "6");
  for (const auto& name : names) EXPECT_TRUE(fs::exists(repo.path() / name)) << name;
  EXPECT_EQ(repo.git({"status", "--porcelain"}), "");
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(Land, APushLandsOnTheRemotesBranchBesideARivalWhoPushes) {
  repo.git({"branch", "-m", "main"});
  const Repo remote = Repo::make_bare(world.dir() / "remote.git", repo);
  repo.git({"remote", "add", "origin", remote.path().string()});
  repo.git({"fetch", "-q"});
  start();
  const auto slot = work("feat");
  // Somebody else pushed meanwhile: the candidate is made on that.
  const Repo rival = Repo::clone(world.dir() / "rival", remote);
  rival.commit("theirs", "1\n");
  rival.git({"push", "-q", "origin", "main"});
  write_text(repo.path() / "untracked-of-mine", "1\n");
  const json landed = world.json_of({"land", "feat", "--push"});
  EXPECT_EQ(landed["pushed"], true);
  EXPECT_EQ(landed["before"], rival.git({"rev-parse", "main"}));
  EXPECT_EQ(remote.git({"rev-parse", "main"}), landed["after"]);
  EXPECT_EQ(main_tip(), landed["after"]);
  EXPECT_EQ(read_text(repo.path() / "theirs"), "1\n");
  EXPECT_EQ(repo.git({"rev-parse", "origin/main"}), landed["after"]);
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), landed["after"]);
  EXPECT_EQ(repo.git({"status", "--porcelain"}), "?? untracked-of-mine");
  EXPECT_EQ(repo.git({"for-each-ref", "refs/wtpool/land/"}), "");
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(Land, APushThatTheRemoteRefusesMovesNothing) {
  const Repo remote = Repo::make_bare(world.dir() / "remote.git", repo);
  repo.git({"remote", "add", "origin", remote.path().string()});
  repo.git({"fetch", "-q"});
  start();
  work("feat");
  const auto before = main_tip();
  write_text(remote.path() / "hooks/pre-receive", "#!/bin/sh\nexit 1\n");
  fs::permissions(remote.path() / "hooks/pre-receive", fs::perms::owner_all);
  const auto refused = land({"feat", "--push"});
  EXPECT_EQ(refused.code, 15) << refused;
  EXPECT_NE(refused.err.find("the remote did not take it"), std::string::npos) << refused;
  EXPECT_EQ(main_tip(), before);
  EXPECT_EQ(remote.git({"rev-parse", "main"}), before);
  EXPECT_EQ(repo.git({"for-each-ref", "refs/wtpool/land/"}), "");
}

TEST_F(Land, WhatStandsInTheWayOfTheLocalBranchDoesNotStopAPush) {
  const Repo remote = Repo::make_bare(world.dir() / "remote.git", repo);
  repo.git({"remote", "add", "origin", remote.path().string()});
  repo.git({"fetch", "-q"});
  start();
  work("feat", "README.md");
  const auto before = main_tip();
  write_text(repo.path() / "README.md", "mine\n");
  const auto landed = land({"feat", "--push"});
  EXPECT_EQ(landed.code, 0) << landed;
  EXPECT_NE(landed.err.find("stays behind"), std::string::npos) << landed;
  EXPECT_EQ(main_tip(), before);
  EXPECT_NE(remote.git({"rev-parse", "main"}), before);
  EXPECT_EQ(read_text(repo.path() / "README.md"), "mine\n");
}

TEST_F(Land, OfAMirrorLandsAtItsRemoteAndMakesNoBranch) {
  const Repo remote = Repo::make_bare(world.dir() / "remote.git", repo);
  world.start_daemon();
  ASSERT_EQ(world.wtpool({"init", "--pool", "m", "--source", "file://" + remote.path().string()}).code, 0);
  const json lease = world.json_of({"acquire", "feat", "--pool", "m"});
  const fs::path slot = lease["path"].get<std::string>();
  write_text(slot / "feat", "1\n");
  git(slot, {"add", "-A"});
  git(slot, {"commit", "-qm", "work"});
  const json landed = world.json_of({"land", "feat", "--pool", "m"});
  EXPECT_EQ(landed["pushed"], true);
  EXPECT_EQ(landed["checkouts"], json::array());
  EXPECT_EQ(remote.git({"rev-parse", "main"}), landed["after"]);
  EXPECT_EQ(git(slot, {"for-each-ref", "--format=%(refname)", "refs/heads/main"}), "");
}

class LandKilled : public Land, public ::testing::WithParamInterface<const char*> {};

// Killed anywhere, the target is before or after, the checkout ends where it is, and the next landing works without a word.
TEST_P(LandKilled, EndsBeforeOrAfter) {
  start();
  const auto slot = work("feat");
  write_text(repo.path() / "Makefile", "mine\n");
  work("first");
  ASSERT_EQ(land({"first", "--stay"}).code, 0);
  const auto before = main_tip();
  world.stop_daemon();
  world.environment["WTPOOL_FAILPOINT"] = std::string(GetParam()) + ":kill";
  world.start_daemon();
  world.environment["WTPOOL_NO_SPAWN"] = "1";
  EXPECT_NE(land({"feat"}).code, 0);
  world.environment.erase("WTPOOL_FAILPOINT");
  world.kill_daemon();
  world.start_daemon();
  const auto again = land({"feat"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_TRUE(nothing_is_left());
  EXPECT_EQ(repo.git({"rev-parse", "main^1"}), before);
  EXPECT_EQ(repo.git({"status", "--porcelain"}), " M Makefile");
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  EXPECT_EQ(repo.git({"for-each-ref", "refs/wtpool/land/"}), "");
  EXPECT_EQ(read_text(repo.path() / "feat"), "feat\n");
  for (const auto& left : fs::directory_iterator(repo.common_dir() / "wtpool/land")) ADD_FAILURE() << left.path();
  EXPECT_EQ(repo.complaint(), "");
}

INSTANTIATE_TEST_SUITE_P(AtEachFailpoint, LandKilled,
                         ::testing::Values("land.candidate-made", "land.candidate-durable", "land.record-made", "land.pinned",
                                           "land.ignored-moved", "land.advancing", "land.target-moved",
                                           "land.checkouts-followed", "land.slot-branch-moved", "land.slot-followed",
                                           "land.record-removed"));

class LandKilledTwice : public Land, public ::testing::WithParamInterface<const char*> {};

// What finishes a landing that was cut off may be killed too.
TEST_P(LandKilledTwice, IsFinishedByTheThird) {
  start();
  const auto slot = work("feat");
  git(slot, {"rm", "-q", "Makefile"});
  git(slot, {"commit", "-qm", "without"});
  world.stop_daemon();
  world.environment["WTPOOL_NO_SPAWN"] = "1";
  world.environment["WTPOOL_FAILPOINT"] = "land.target-moved:kill";
  world.start_daemon();
  EXPECT_NE(land({"feat"}).code, 0);
  EXPECT_EQ(world.daemon().wait(30s).code, 128 + SIGKILL);
  world.environment["WTPOOL_FAILPOINT"] = std::string(GetParam()) + ":kill";
  world.launch_daemon();
  EXPECT_EQ(world.daemon().wait(30s).code, 128 + SIGKILL);
  world.environment.erase("WTPOOL_FAILPOINT");
  world.start_daemon();
  const auto again = land({"feat"});
  EXPECT_EQ(again.code, 0) << again;
  EXPECT_TRUE(nothing_is_left());
  EXPECT_EQ(repo.git({"status", "--porcelain"}), "");
  EXPECT_EQ(read_text(repo.path() / "feat"), "feat\n");
  EXPECT_FALSE(fs::exists(repo.path() / "Makefile"));
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  EXPECT_EQ(repo.complaint(), "");
}

INSTANTIATE_TEST_SUITE_P(AtEachFailpoint, LandKilledTwice,
                         ::testing::Values("land.recovered-checkout", "land.catch-up-index", "land.catch-up-removed",
                                           "land.catch-up-written"));

TEST_F(Land, KilledAfterThePushItHasLandedAndTheNextOneSaysSo) {
  const Repo remote = Repo::make_bare(world.dir() / "remote.git", repo);
  repo.git({"remote", "add", "origin", remote.path().string()});
  repo.git({"fetch", "-q"});
  start();
  const auto slot = work("feat");
  world.stop_daemon();
  world.environment["WTPOOL_NO_SPAWN"] = "1";
  world.environment["WTPOOL_FAILPOINT"] = "land.pushed:kill";
  world.start_daemon();
  EXPECT_NE(land({"feat", "--push"}).code, 0);
  EXPECT_EQ(world.daemon().wait(30s).code, 128 + SIGKILL);
  world.environment.erase("WTPOOL_FAILPOINT");
  world.start_daemon();
  const auto again = land({"feat", "--push"});
  EXPECT_EQ(again.code, 0) << again;
  EXPECT_TRUE(nothing_is_left());
  EXPECT_EQ(remote.git({"rev-parse", "main"}), git(slot, {"rev-parse", "HEAD"}));
  EXPECT_EQ(repo.git({"for-each-ref", "refs/wtpool/land/"}), "");
  EXPECT_EQ(repo.complaint(), "");
}

}  // namespace
}  // namespace wtpool::test
