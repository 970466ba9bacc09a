// Each way in which a branch is merged, and each near miss, on histories that plain git makes.
#include "daemon/git/source/integration.hpp"

#include "daemon/git/source/target.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

using proto::MergedWay;

class Integration : public GitRoom {
 protected:
  void SetUp() override {
    GitRoom::SetUp();
    forget_comparisons();
    fs::create_directories(source_dir);
    common = (source_dir / ".git").string();
    git("git init -q . && seq 1 30 > f && seq 1 30 > g && git add . && git commit -qm base");
  }
  void git(const std::string& line) { sh(source_dir, line); }
  // Line `number` of a file becomes `text`, committed.
  void change(const std::string& file, int number, const std::string& text) {
    git("sed -i '" + std::to_string(number) + "s/.*/" + text + "/' " + file + " && git commit -qam '" + file + " " + text +
        "'");
  }
  // Branch x with two commits in f, from main; main is checked out afterwards.
  void work() {
    git("git checkout -q -b x");
    change("f", 5, "five");
    change("f", 6, "six");
    git("git checkout -q main");
  }
  void squash() { git("git merge -q --squash x && git commit -qm squash"); }

  std::optional<Standing> standing(const std::string& tip = "x", const std::string& target = "main") {
    forget_comparisons();
    return compare(source(), {{id(tip), id(target)}}).front();
  }
  std::string way(const std::string& tip = "x", const std::string& target = "main") {
    const auto found = standing(tip, target);
    if (!found) return "not known";
    return found->merged ? std::string(proto::to_text(*found->merged)) : "no";
  }
};

TEST_F(Integration, SameCommit) { EXPECT_EQ(way("main", "main"), "same_commit"); }

TEST_F(Integration, Ancestor) {
  work();
  git("git merge -q --no-ff x -m m");
  EXPECT_EQ(way(), "ancestor");
  EXPECT_EQ(standing()->counts.ahead, 0);
  EXPECT_EQ(standing()->counts.behind, 1);
}

TEST_F(Integration, NoAddedChanges) {
  work();
  git("git checkout -q x && git revert --no-edit HEAD~1 HEAD >/dev/null 2>&1 || git checkout -q HEAD -- .; git checkout -q x");
  git("git read-tree -u --reset main && git commit -qm 'all of it back' --allow-empty && git checkout -q main");
  change("f", 5, "fuenf");
  EXPECT_EQ(way(), "no_added_changes");
}

TEST_F(Integration, AnEmptyCommitAddsNothing) {
  git("git checkout -q -b x && git commit -q --allow-empty -m empty && git checkout -q main");
  change("f", 1, "eins");
  EXPECT_EQ(way(), "no_added_changes");
}

TEST_F(Integration, TreesMatch) {
  work();
  squash();
  EXPECT_EQ(way(), "trees_match");
}

TEST_F(Integration, MergeAddsNothing) {
  work();
  squash();
  change("g", 2, "two");
  EXPECT_EQ(way(), "merge_adds_nothing");
  EXPECT_EQ(standing()->counts.ahead, 2);
  EXPECT_EQ(standing()->counts.behind, 2);
}

TEST_F(Integration, RebasedAndMerged) {
  work();
  change("g", 2, "two");
  git("git checkout -q -b y x && git rebase -q main && git checkout -q main && git merge -q --ff-only y");
  EXPECT_EQ(way(), "merge_adds_nothing");
}

TEST_F(Integration, PatchIdWhenTheSameLinesWereChangedAfterTheSquash) {
  work();
  squash();
  change("f", 5, "fuenf");
  EXPECT_EQ(way(), "patch_id");
}

TEST_F(Integration, PatchIdOfAMergeOfWhatWasRebased) {
  work();
  change("g", 2, "two");
  git("git checkout -q -b y x && git rebase -q main && git checkout -q main && git merge -q --no-ff y -m m");
  change("f", 5, "fuenf");
  EXPECT_EQ(way(), "patch_id");
}

TEST_F(Integration, PatchIdOfABinaryFile) {
  git("printf 'a\\0b' > bin && git add bin && git commit -qm bin && git checkout -q -b x && printf 'a\\0c' > bin && "
      "git commit -qam x && git checkout -q main");
  squash();
  git("printf 'a\\0d' > bin && git commit -qam later");
  EXPECT_EQ(way(), "patch_id");
  // Another change of the same binary file is no whole change of the branch.
  git("git checkout -q -b y main~2 && printf 'a\\0e' > bin && git commit -qam y && git checkout -q main");
  EXPECT_EQ(way("y"), "no");
}

TEST_F(Integration, PatchIdKnowsModes) {
  git("git checkout -q -b x && chmod +x f && git commit -qam mode && git checkout -q main && git rm -q f && git commit -qm "
      "gone");
  EXPECT_EQ(way(), "no");
}

TEST_F(Integration, NotASquashThatWasTakenBack) {
  work();
  squash();
  git("git revert --no-edit HEAD");
  EXPECT_EQ(way(), "no");  // it merges cleanly and adds everything
  change("f", 5, "fuenf");
  EXPECT_EQ(way(), "no");  // it conflicts, and one commit has its change, and one takes it back
}

TEST_F(Integration, ASquashThatWasTakenBackAndMadeAgain) {
  work();
  squash();
  git("git revert --no-edit HEAD && git revert --no-edit HEAD");
  change("f", 5, "fuenf");
  EXPECT_EQ(way(), "patch_id");
}

TEST_F(Integration, NotWithOneCommitMoreThanWasSquashed) {
  work();
  squash();
  git("git checkout -q x");
  change("f", 20, "zwanzig");
  git("git checkout -q main");
  EXPECT_EQ(way(), "no");
  change("f", 5, "fuenf");
  EXPECT_EQ(way(), "no");
}

TEST_F(Integration, NotWhatWasCherryPickedInPart) {
  work();
  git("git cherry-pick x~1 >/dev/null");
  EXPECT_EQ(way(), "no");
  change("f", 5, "fuenf");
  EXPECT_EQ(way(), "no");
}

TEST_F(Integration, NotUnrelatedHistories) {
  git("git checkout -q --orphan x && git commit -qm other && git checkout -q main");
  change("f", 1, "eins");
  EXPECT_EQ(way(), "no");
}

TEST_F(Integration, NotWhatDiffersInWhiteSpaceAlone) {
  git("git checkout -q -b x && sed -i '5s/.*/5 /' f && git commit -qam space && git checkout -q main");
  git("sed -i '5s/.*/5  /' f && git commit -qam 'more space'");
  EXPECT_EQ(way(), "no");
}

TEST_F(Integration, WhiteSpaceAloneThatWasSquashed) {
  git("git checkout -q -b x && sed -i '5s/.*/5 /' f && git commit -qam space && git checkout -q main");
  squash();
  change("f", 5, "fuenf");
  EXPECT_EQ(way(), "patch_id");
}

TEST_F(Integration, NotACommitThatChangesMoreFilesThanTheBranch) {
  work();
  git("git merge -q --squash x && sed -i '1s/.*/eins/' g && git add g && git commit -qm both");
  change("f", 5, "fuenf");
  EXPECT_EQ(way(), "no");
}

TEST_F(Integration, NotABranchOfNewCommitsOnTheTarget) {
  work();
  EXPECT_EQ(way(), "no");
  EXPECT_EQ(standing()->counts.ahead, 2);
  EXPECT_EQ(standing()->counts.behind, 0);
}

TEST_F(Integration, AnErrorIsNotKnownAndSpoilsNoOther) {
  work();
  squash();
  change("g", 2, "two");
  const Oid missing(std::string(40, 'a'));
  const auto found = compare(source(), {{missing, id("main")}, {id("x"), id("main")}, {id("x"), missing}});
  EXPECT_FALSE(found[0]);
  ASSERT_TRUE(found[1]);
  EXPECT_EQ(found[1]->merged, MergedWay::merge_adds_nothing);
  EXPECT_FALSE(found[2]);
}

TEST_F(Integration, WritesNothingIntoTheSourceAndRunsNothingOfIt) {
  work();
  change("f", 25, "more");
  git("echo '* merge=evil diff=evil' > .git/info/attributes && git config merge.evil.driver \"touch '" +
      (root / "ran").string() + "'; true\" && git config diff.evil.command \"touch '" + (root / "ran").string() +
      "'\" && git config diff.evil.textconv \"touch '" + (root / "ran").string() + "'\"");
  const auto before = sh(source_dir, "git count-objects -v");
  EXPECT_EQ(way(), "no");
  change("f", 5, "fuenf");
  const auto later = sh(source_dir, "git count-objects -v");
  EXPECT_EQ(way(), "no");
  EXPECT_EQ(sh(source_dir, "git count-objects -v"), later);
  EXPECT_NE(before, later);
  EXPECT_FALSE(fs::exists(root / "ran"));
}

TEST_F(Integration, ASecondTimeAsksNoGit) {
  work();
  squash();
  change("f", 5, "fuenf");
  const std::vector<Pair> pairs = {{id("x"), id("main")}};
  EXPECT_EQ(way(), "patch_id");
  shim("echo called >> '" + (root / "calls").string() + "'; exit 1\n");
  EXPECT_EQ(compare(source(), pairs).front()->merged, MergedWay::patch_id);
  EXPECT_FALSE(fs::exists(root / "calls"));
}

class Targets : public Integration {
 protected:
  std::vector<std::string> compared(const std::string& default_commit) {
    const auto target = target_of(source(), default_commit);
    if (!target) return {"none"};
    std::vector<std::string> refs;
    for (const auto& one : compared_refs(source(), *target, RefSnapshot::take(common, {target->refs(), {}})))
      refs.push_back(one.ref);
    return refs;
  }
  using Refs = std::vector<std::string>;
};

TEST_F(Targets, IsTheOneOfTheTwoThatIsAhead) {
  git("git remote add origin . && git config branch.main.remote origin && git config branch.main.merge refs/heads/main");
  EXPECT_EQ(compared("refs/heads/main"), Refs{"refs/heads/main"});
  git("git update-ref refs/remotes/origin/main main");
  EXPECT_EQ(compared("refs/heads/main"), Refs{"refs/heads/main"});
  change("f", 1, "eins");  // T is ahead
  EXPECT_EQ(compared("refs/remotes/origin/main"), Refs{"refs/heads/main"});
  git("git update-ref refs/remotes/origin/main main && git reset -q --hard main~1");  // T is behind
  EXPECT_EQ(compared("refs/heads/main"), Refs{"refs/remotes/origin/main"});
  change("g", 1, "eins");  // apart
  EXPECT_EQ(compared("main"), (Refs{"refs/heads/main", "refs/remotes/origin/main"}));
  git("git checkout -q --detach && git branch -D main");  // T is absent
  EXPECT_EQ(compared("refs/remotes/origin/main"), Refs{"refs/remotes/origin/main"});
  EXPECT_EQ(compared("main"), Refs{"refs/remotes/origin/main"});
}

TEST_F(Targets, AreNamedByBranchesAlone) {
  git("git tag v1 && git remote add up/stream . && git update-ref refs/remotes/up/stream/rel/1 main");
  EXPECT_EQ(compared("refs/tags/v1"), Refs{"none"});
  EXPECT_EQ(compared("v1"), Refs{"none"});
  EXPECT_EQ(compared("main~0"), Refs{"none"});
  EXPECT_EQ(compared(id("main").str()), Refs{"none"});
  EXPECT_EQ(compared("HEAD"), Refs{"refs/heads/main"});
  EXPECT_EQ(target_of(source(), "refs/remotes/up/stream/rel/1")->branch, "rel/1");
  EXPECT_EQ(target_of(source(), "up/stream/rel/1")->upstream, "refs/remotes/up/stream/rel/1");
}

TEST_F(Targets, FollowTheNameThatTheRemoteCallsItsHead) {
  git("git update-ref refs/remotes/origin/main main && git symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main");
  EXPECT_EQ(target_of(source(), "refs/remotes/origin/HEAD")->branch, "main");
  EXPECT_EQ(target_of(source(), "refs/remotes/origin/HEAD")->upstream, "refs/remotes/origin/main");
}

TEST_F(Targets, ReadTheUpstreamFromAnyRefspecAndAfterItChanged) {
  git("git config branch.main.remote o && git config branch.main.merge refs/heads/dev && "
      "git config remote.o.fetch '+refs/heads/*:refs/remotes/elsewhere/*'");
  EXPECT_EQ(target_named(source(), "main").upstream, "refs/remotes/elsewhere/dev");
  git("git config branch.main.remote . && git config branch.main.merge refs/heads/other");
  EXPECT_EQ(target_named(source(), "refs/heads/main").upstream, "refs/heads/other");
  EXPECT_EQ(target_named(source(), "nobody").upstream, "");
}

}  // namespace
}  // namespace wtpool::git
