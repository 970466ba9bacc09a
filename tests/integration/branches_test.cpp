// Branches that somebody makes, moves, checks out or deletes while an acquire is under way or waits.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Branches : public ::testing::Test {
 protected:
  World world;
  Repo repo = world.make_repo();
};

TEST_F(Branches, OneThatSomebodyMadeAndStandsOnOutlivesAnAcquireThatFailed) {
  const auto mine = world.dir() / "mine";
  const auto shim = world.dir() / "shim/git";
  const auto path = world.environment["PATH"];
  fs::create_directories(shim.parent_path());
  // Just before git makes the branch, somebody does, and git fails for another reason.
  write_text(shim, "#!/bin/sh\nPATH='" + path + "'\ncase \" $* \" in *' -b x '*)\n  [ -e '" + mine.string() +
                       "' ] || git -C '" + repo.path().string() + "' worktree add -q -b x '" + mine.string() +
                       "' main\n  echo 'fatal: no luck' >&2\n  exit 1\n;; esac\nexec git \"$@\"\n");
  fs::permissions(shim, fs::perms::owner_all);
  world.environment["PATH"] = shim.parent_path().string() + ":" + path;
  world.start_daemon();
  world.init(repo, {"--max-slots", "1"});
  EXPECT_NE(world.wtpool({"acquire", "x"}).code, 0);
  ASSERT_TRUE(fs::exists(mine));
  EXPECT_EQ(git(mine, {"symbolic-ref", "HEAD"}), "refs/heads/x");
  EXPECT_TRUE(repo.has_branch("x"));
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(Branches, TheTipOfAResumedOneThatNothingElseLeadsToIsKeptWhenItsHolderTookItAway) {
  world.start_daemon();
  world.init(repo, {"--max-slots", "1"});
  const auto tree = repo.git({"rev-parse", "main^{tree}"});
  const auto lone = [&](const std::string& message) { return repo.git({"commit-tree", "-p", "main", "-m", message, tree}); };
  for (const std::vector<std::string>& takes_away :
       {std::vector<std::string>{"branch", "-q", "-D", "feat"}, {"branch", "-q", "-f", "feat", "main"}}) {
    const auto tip = lone(takes_away[2]);
    repo.git({"branch", "feat", tip});
    const auto slot = world.acquire("feat", {"--resume"});
    git(slot, {"checkout", "-q", "--detach"});
    git(slot, takes_away);
    world.release("feat");
    EXPECT_NE(repo.git({"for-each-ref", "--contains", tip, "refs/wtpool/trash/"}), "") << takes_away[2];
  }
  // What others have as well needs no keeping.
  repo.git({"branch", "feat", lone("others have it")});
  repo.git({"branch", "other", "feat"});
  const auto before = repo.trash_refs();
  const auto slot = world.acquire("feat", {"--resume"});
  git(slot, {"checkout", "-q", "--detach"});
  git(slot, {"branch", "-q", "-D", "feat"});
  world.release("feat");
  EXPECT_EQ(repo.trash_refs(), before);
}

TEST_F(Branches, OneThatStandsForACheckedOutOneIsNotResumed) {
  world.start_daemon();
  world.init(repo);
  repo.git({"symbolic-ref", "refs/heads/alias", "refs/heads/main"});
  for (const auto* how : {"--resume", "--replace"}) {
    const auto outcome = world.wtpool({"acquire", "alias", how});
    EXPECT_EQ(outcome.code, 9) << outcome;
    EXPECT_NE(outcome.err.find(repo.path().string()), std::string::npos) << outcome;
  }
  EXPECT_EQ(repo.git({"symbolic-ref", "refs/heads/alias"}), "refs/heads/main");
}

TEST_F(Branches, TheOneThatABareSourceIsNamedAfterOutlivesItsRelease) {
  const auto bare = world.dir() / "bare.git";
  repo.git({"clone", "-q", "--bare", repo.path().string(), bare.string()});
  world.start_daemon();
  world.init(Repo(bare));
  const auto slot = world.acquire("main", {"--resume"});
  const auto tip = Repo(slot).commit("README.md", "more\n");
  const auto outcome = world.wtpool({"release", "main", "--wait"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(git(bare, {"rev-parse", "refs/heads/main"}), tip);
  EXPECT_FALSE(world.acquire("next").empty());
}

class BranchesInWaiting : public Branches {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo, {"--max-slots", "1"});
    slot = world.acquire("holder");
    repo.git({"branch", "x"});
  }
  // Somebody waits for the slot, something is done meanwhile, the slot comes free.
  Outcome given_after(const std::string& flag, const std::function<void()>& meanwhile) {
    auto waiter = world.start_wtpool({"acquire", "x", flag, "--wait=60s"});
    EXPECT_TRUE(wait_until([&] { return world.json_of({"status"})["queue"] == 1; }));
    meanwhile();
    world.release("holder");
    return waiter.wait();
  }
  void expect_slot_is_blameless() const {
    EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
    EXPECT_EQ(world.acquire("next"), slot);
  }
  [[nodiscard]] std::string commit_elsewhere() const {
    const auto tree = repo.git({"rev-parse", "main^{tree}"});
    return repo.git({"commit-tree", "-p", "main", "-m", "elsewhere", tree});
  }
  fs::path slot;
};

TEST_F(BranchesInWaiting, OneThatWasCheckedOutMeanwhileIsNotReplaced) {
  const auto tip = repo.git({"rev-parse", "x"});
  const auto outcome = given_after("--replace", [&] { repo.git({"switch", "-q", "x"}); });
  EXPECT_EQ(outcome.code, 9) << outcome;
  EXPECT_NE(outcome.err.find("checked out at " + repo.path().string()), std::string::npos) << outcome;
  EXPECT_EQ(repo.git({"rev-parse", "x"}), tip);
  EXPECT_EQ(repo.git({"status", "--porcelain"}), "");
  expect_slot_is_blameless();
}

TEST_F(BranchesInWaiting, OneThatWasCheckedOutMeanwhileIsNotResumed) {
  const auto outcome = given_after("--resume", [&] { repo.git({"switch", "-q", "x"}); });
  EXPECT_EQ(outcome.code, 9) << outcome;
  expect_slot_is_blameless();
}

TEST_F(BranchesInWaiting, OneThatMovedMeanwhileIsResumedAtItsTip) {
  const auto moved = commit_elsewhere();
  const auto outcome = given_after("--resume", [&] { repo.git({"update-ref", "refs/heads/x", moved}); });
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), moved);
  EXPECT_EQ(git(slot, {"symbolic-ref", "HEAD"}), "refs/heads/x");
  EXPECT_EQ(world.slot("slot-0")["full_sha"], moved);
  EXPECT_EQ(flat_yaml(read_text(marker_of(slot))).at("full_sha"), moved);
}

TEST_F(BranchesInWaiting, OneThatMovedMeanwhileIsReplacedAndItsTipKept) {
  const auto moved = commit_elsewhere();
  const auto outcome = given_after("--replace", [&] { repo.git({"update-ref", "refs/heads/x", moved}); });
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), repo.head());
  const auto refs = repo.trash_refs();
  ASSERT_EQ(refs.size(), 1u);
  EXPECT_EQ(repo.git({"rev-parse", refs.front()}), moved);
}

TEST_F(BranchesInWaiting, OneThatIsGoneIsMadeAnewOrCannotBeResumed) {
  const auto outcome = given_after("--resume", [&] { repo.git({"branch", "-D", "x"}); });
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.err.find("gone"), std::string::npos) << outcome;
  expect_slot_is_blameless();
  world.release("next");
  world.acquire("holder");
  repo.git({"branch", "x"});
  EXPECT_EQ(given_after("--replace", [&] { repo.git({"branch", "-D", "x"}); }).code, 0);
  EXPECT_EQ(git(slot, {"symbolic-ref", "HEAD"}), "refs/heads/x");
  EXPECT_TRUE(repo.trash_refs().empty());
}

}  // namespace
}  // namespace wtpool::test
