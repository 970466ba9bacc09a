#include "daemon/git/source/add_worktree.hpp"
#include "daemon/git/source/pruning.hpp"
#include "daemon/git/source/worktree_config.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

using Source = GitRoom;

TEST_F(Source, IsOpenedFromItsTopItsGitDirectoryAndItsSlots) {
  make_source();
  ready_slot();
  for (const fs::path& path : {source_dir, source_dir / ".git", slot_path()}) {
    const SourceFacts facts = open_source(path.string(), {});
    EXPECT_EQ(facts.common_dir, common) << path;
    EXPECT_EQ(facts.worktree, source_dir.string()) << path;
    EXPECT_FALSE(facts.worktree_config);
  }
  sh(source_dir, "git config extensions.worktreeConfig true");
  EXPECT_TRUE(open_source(source_dir.string(), {}).worktree_config);
  fs::create_directory_symlink(source_dir, root / "link");
  EXPECT_EQ(open_source((root / "link").string(), {}).common_dir, common);
}

TEST_F(Source, MayBeBareOrHaveItsGitDirectoryElsewhere) {
  make_source();
  sh(root, "git clone -q --bare source bare.git && git clone -q --separate-git-dir=apart source tree");
  const SourceFacts bare = open_source((root / "bare.git").string(), {});
  EXPECT_EQ(bare.common_dir, (root / "bare.git").string());
  EXPECT_FALSE(bare.worktree);
  const SourceFacts apart = open_source((root / "tree").string(), {});
  EXPECT_EQ(apart.common_dir, (root / "apart").string());
  EXPECT_EQ(apart.worktree, (root / "tree").string());
}

TEST_F(Source, IsRefusedWhereThereIsNone) {
  make_source();
  write(root / "a file", "x");
  for (const fs::path& path : {root / "nowhere", root / "home", root / "a file", source_dir / "dir", fs::path("")}) {
    EXPECT_EQ(kind_of([&] { (void)open_source(path.string(), {}); }), ErrorKind::source_missing) << path;
  }
}

TEST_F(Source, OfAnotherUserIsRefusedWithTheCommandThatHelps) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a repository away";
  make_source();
  sh(root, "chown -R 12345 source");
  try {
    (void)open_source(source_dir.string(), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind, ErrorKind::source_not_owned);
    EXPECT_NE(error.hint.find("safe.directory"), std::string::npos);
  }
}

TEST_F(Source, HasItsOriginsHeadOrItsOwnBranchAsDefault) {
  make_source("-b trunk");
  const SourceFacts facts = open_source(source_dir.string(), {});
  EXPECT_EQ(default_commit_of(facts, {}), "refs/heads/trunk");
  sh(root, "git clone -q source clone");
  EXPECT_EQ(default_commit_of(open_source((root / "clone").string(), {}), {}), "refs/remotes/origin/trunk");
  sh(root / "clone", "git update-ref -d refs/remotes/origin/trunk");
  EXPECT_EQ(default_commit_of(open_source((root / "clone").string(), {}), {}), "refs/heads/trunk");
  sh(source_dir, "git checkout -q --detach");
  EXPECT_EQ(kind_of([&] { (void)default_commit_of(facts, {}); }), ErrorKind::commit_unknown);
}

TEST_F(Source, ResolvesACommitAndWhatStandsInTheWayOfAName) {
  make_source();
  sh(source_dir, "git branch a/b && git branch top && git tag -a -m t v1 && git tag refs/heads/ghost");
  const auto plain = resolve(source(), "main", "fresh");
  EXPECT_EQ(plain.commit, id("HEAD"));
  EXPECT_EQ(plain.tree, id("HEAD^{tree}"));
  EXPECT_FALSE(plain.branch_tip || plain.branch_conflict || plain.checked_out_at);
  EXPECT_EQ(resolve(source(), "v1", "fresh").commit, id("HEAD"));
  EXPECT_EQ(resolve(source(), id("HEAD").str(), "fresh").commit, id("HEAD"));
  EXPECT_EQ(resolve(source(), "main", "a/b").branch_tip, id("HEAD"));
  EXPECT_EQ(resolve(source(), "main", "a").branch_conflict, "a/b");
  EXPECT_EQ(resolve(source(), "main", "top/x/y").branch_conflict, "top");
  EXPECT_FALSE(resolve(source(), "main", "ghost").branch_tip);
  EXPECT_FALSE(resolve(source(), "main", "ghost/x").branch_conflict);
  const auto main = resolve(source(), "main", "main");
  EXPECT_EQ(main.branch_tip, id("HEAD"));
  EXPECT_EQ(main.checked_out_at, source_dir.string());
  for (const std::string& unknown :
       {std::string("nope"), std::string(), std::string("main\nmain"), std::string("-x"), std::string(40, 'a'),
        id("HEAD:file").str(), std::string("main..top"), std::string("a\0b", 3)}) {
    EXPECT_FALSE(resolve(source(), unknown, "fresh").commit) << unknown;
  }
}

TEST_F(Source, MayBeEmptyOrUseSha256) {
  sh(root, "git init -q empty");
  const SourceFacts empty = open_source((root / "empty").string(), {});
  EXPECT_EQ(default_commit_of(empty, {}), "refs/heads/main");
  const auto nothing = resolve(Git(Place{empty.common_dir, {}}, {}), "HEAD", "x");
  EXPECT_FALSE(nothing.commit || nothing.branch_tip);
  EXPECT_EQ(resolve(Git(Place{empty.common_dir, {}}, {}), "HEAD", "main").checked_out_at, empty.worktree);

  make_source("--object-format=sha256");
  const auto resolved = resolve(source(), "main", "x");
  ASSERT_TRUE(resolved.commit);
  EXPECT_EQ(resolved.commit->str().size(), 64u);
  const Git git = ready_slot();
  switch_to_new(git, "x", *resolved.commit);
  write(slot_path() / "file", "changed\n");
  write(slot_path() / "new", "new\n");
  const TreeLook seen = look(git, Untracked::all, true);
  EXPECT_EQ(seen.head, resolved.commit);
  EXPECT_TRUE(save_work(git, {"x", *resolved.commit, seen.changed, seen.untracked, 1000, 10, {}}).work);
}

TEST_F(Source, KnowsWhereABranchIsCheckedOutRebasedOrBisected) {
  make_source();
  const SourceFacts facts = open_source(source_dir.string(), {});
  const Git git = ready_slot();
  switch_to_new(git, "feature", id("HEAD"));
  EXPECT_EQ(checked_out_at(facts, "feature"), slot_path().string());
  EXPECT_FALSE(checked_out_at(facts, "feature", "slot-0"));
  EXPECT_EQ(checked_out_at(facts, "main"), source_dir.string());
  sh(slot_path(), "echo a > file && git commit -qam a && git checkout -q -b other HEAD~ && echo b > file && git commit -qam b");
  EXPECT_FALSE(checked_out_at(facts, "feature"));
  sh(slot_path(), "git rebase feature", true);
  EXPECT_EQ(checked_out_at(facts, "other"), slot_path().string());
  sh(slot_path(), "git rebase --abort && git bisect start && git checkout -q --detach");
  EXPECT_EQ(checked_out_at(facts, "other"), slot_path().string());
  sh(slot_path(), "git bisect reset && git checkout -q --detach");
  EXPECT_FALSE(checked_out_at(facts, "other"));
}

TEST_F(Source, OfABareRepositoryHasNoBranchCheckedOut) {
  make_source();
  sh(root, "git clone -q --bare source bare.git");
  const SourceFacts facts = open_source((root / "bare.git").string(), {});
  EXPECT_FALSE(checked_out_at(facts, "main"));
  EXPECT_FALSE(resolve(Git(Place{facts.common_dir, {}}, {}), "main", "main").checked_out_at);
}

TEST_F(Source, FetchesIntoTrackingRefsAndWritesNothingElse) {
  make_source();
  EXPECT_FALSE(fetch(source(), std::nullopt));
  sh(root, "git clone -q source clone");
  sh(source_dir, "git commit -q --allow-empty -m two && git tag new && git branch topic");
  common = (root / "clone/.git").string();
  EXPECT_TRUE(fetch(source(), std::nullopt));
  EXPECT_EQ(sh(root / "clone", "git rev-parse origin/main origin/topic"), id("HEAD").str() + "\n" + id("HEAD").str());
  EXPECT_FALSE(fs::exists(common + "/FETCH_HEAD"));
  EXPECT_EQ(sh(root / "clone", "git tag"), "");
  EXPECT_NE(sh(root / "clone", "git rev-parse main"), id("HEAD").str());
}

TEST_F(Source, FetchOfAMirrorLeavesBranchesAlone) {
  make_source();
  sh(root, "git clone -q --mirror source mirror.git");
  const std::string before = sh(source_dir, "git rev-parse main");
  sh(source_dir, "git commit -q --allow-empty -m two && git branch new");
  sh(root / "mirror.git", "git branch leased");
  common = (root / "mirror.git").string();
  EXPECT_TRUE(fetch(source(), std::nullopt));
  EXPECT_EQ(sh(root / "mirror.git", "git rev-parse main leased"), before + "\n" + before);
  EXPECT_EQ(sh(root / "mirror.git", "git rev-parse refs/remotes/origin/main refs/remotes/origin/new"),
            id("main").str() + "\n" + id("main").str());
}

TEST_F(Source, FetchAsksForAWantedIdThatNoRefBrings) {
  make_source();
  sh(root, "git clone -q source clone");
  sh(source_dir, "git checkout -q --detach && git commit -q --allow-empty -m hidden && git update-ref refs/pull/1/head HEAD");
  const Oid hidden = id("HEAD");
  sh(source_dir, "git checkout -q main && git config uploadpack.allowAnySHA1InWant true");
  common = (root / "clone/.git").string();
  EXPECT_TRUE(fetch(source(), hidden));
  EXPECT_EQ(ids_of(source(), {hidden.str() + "^{commit}"}).front(), hidden);
  EXPECT_TRUE(fetch(source(), Oid(std::string(40, '9'))));
}

TEST_F(Source, FetchFailsForOriginButNotForAnotherRemoteThatIsGone) {
  make_source();
  sh(root, "git clone -q source clone && cd clone && git remote add colleague /nowhere/at/all");
  common = (root / "clone/.git").string();
  EXPECT_TRUE(fetch(source(), std::nullopt));
  sh(root / "clone", "git remote set-url origin /nowhere/else");
  EXPECT_EQ(kind_of([&] { (void)fetch(source(), std::nullopt); }), ErrorKind::git_failed);
  sh(root / "clone", "git remote set-url origin 'ext::sh -c \"touch " + (root / "ran").string() + "\"'");
  sh(root / "clone", "git config protocol.ext.allow always");
  EXPECT_EQ(kind_of([&] { (void)fetch(source(), std::nullopt); }), ErrorKind::git_failed);
  EXPECT_FALSE(fs::exists(root / "ran"));
}

TEST_F(Source, DeletesARemoteBranchAndSaysWhyNot) {
  make_source();
  sh(source_dir, "git branch gone");
  sh(root, "git clone -q source clone");
  common = (root / "clone/.git").string();
  write(fs::path(common) / "hooks/pre-push", "#!/bin/sh\nexit 1\n");
  fs::permissions(common + "/hooks/pre-push", fs::perms::owner_all);
  EXPECT_EQ(delete_remote_branch(source(), "gone"), std::nullopt);
  EXPECT_EQ(sh(source_dir, "git branch --list gone"), "");
  sh(root / "clone", "git remote set-url origin /nowhere");
  EXPECT_TRUE(delete_remote_branch(source(), "gone"));
}

TEST_F(Source, ForgetsTheConfigOfOneBranchOnly) {
  make_source();
  for (const char* branch : {"a", "a.b", "a/b", "we \"ird"}) {
    sh(source_dir, "git config 'branch." + std::string(branch) + ".remote' origin");
  }
  forget_branch_config(source(), "a");
  EXPECT_EQ(sh(source_dir, "git config --get branch.a.remote", true), "");
  EXPECT_EQ(sh(source_dir, "git config --get branch.a.b.remote"), "origin");
  forget_branch_config(source(), "a.b");
  forget_branch_config(source(), "we \"ird");
  EXPECT_EQ(sh(source_dir, "git config --name-only --get-regexp '^branch'"), "branch.a/b.remote");
  const std::string before = read(fs::path(common) / "config");
  forget_branch_config(source(), "never-was");
  EXPECT_EQ(read(fs::path(common) / "config"), before);
}

TEST_F(Source, TheConfigOfABranchThatIsThereAgainStays) {
  make_source();
  sh(source_dir, "git branch x && git config branch.x.remote origin");
  forget_branch_config(source(), "x");
  EXPECT_EQ(sh(source_dir, "git config --get branch.x.remote"), "origin");
  // Not with `branch -D`, which would take the section along.
  sh(source_dir, "git update-ref -d refs/heads/x");
  forget_branch_config(source(), "x");
  EXPECT_EQ(sh(source_dir, "git config --get branch.x.remote", true), "");
}

TEST_F(Source, CountsCommitsAhead) {
  make_source();
  sh(source_dir, "git checkout -q -b x && git commit -q --allow-empty -m a && git commit -q --allow-empty -m b");
  EXPECT_EQ(commits_ahead(source(), "x", "main"), 2);
  EXPECT_EQ(commits_ahead(source(), "main", "x"), 0);
  EXPECT_EQ(kind_of([&] { (void)commits_ahead(source(), "x", "nope"); }), ErrorKind::git_failed);
}

TEST_F(Source, TellsOfAMirrorWhoseFetchPrunesWhatTheTrashKeeps) {
  make_source();
  sh(root, "git clone -q --mirror source mirror");
  const Git mirror(Place{(root / "mirror").string(), {}}, {});
  EXPECT_EQ(remotes_that_prune_all(mirror), std::vector<std::string>{"origin"});
  sh(root, prune_remedy(mirror.place().git_dir, "origin"));
  EXPECT_TRUE(remotes_that_prune_all(mirror).empty());
  sh(root / "mirror", "git update-ref refs/wtpool/trash/ID/work HEAD && git remote update --prune 2>&1");
  EXPECT_NE(sh(root / "mirror", "git for-each-ref refs/wtpool"), "");
  sh(root, "git clone -q source plain");
  EXPECT_TRUE(remotes_that_prune_all(Git(Place{(root / "plain/.git").string(), {}}, {})).empty());
}

TEST_F(Source, ThatGitCannotReadForAMinuteIsStillARepository) {
  make_source();
  sh(source_dir, "git config extensions.fromTheFuture true && git config core.repositoryFormatVersion 1");
  const auto kind = kind_of([&] { (void)open_source(source_dir.string(), {}); });
  EXPECT_EQ(kind, ErrorKind::git_failed);
}

TEST_F(Source, WithoutAWorkingTreeThatSaysSoOfAllGetsWorktreesThatGitWorksIn) {
  make_source();
  sh(root, "git clone -q --bare source bare && git -C bare config extensions.worktreeConfig true");
  const Git bare(Place{(root / "bare").string(), {}}, {});
  const std::string git_id = add_worktree(bare, slot_path(), id("HEAD"), "wtpool test");
  not_bare(bare, (root / "bare/worktrees" / git_id).string());
  EXPECT_EQ(sh(slot_path(), "git rev-parse --is-inside-work-tree"), "true");
}

TEST_F(Source, NameOfABranchThatOnlyTheRemoteHasComesWithItsTip) {
  make_source();
  sh(source_dir,
     "git update-ref refs/remotes/origin/feat HEAD && git update-ref refs/remotes/origin/both HEAD && git branch both");
  EXPECT_EQ(resolve(source(), "HEAD", "feat").origin_tip, id("HEAD"));
  EXPECT_FALSE(resolve(source(), "HEAD", "both").origin_tip);
  EXPECT_FALSE(resolve(source(), "HEAD", "other").origin_tip);
}

}  // namespace
}  // namespace wtpool::git
