#include "daemon/git/source/mirror.hpp"

#include "daemon/git/files/blob_id.hpp"
#include "daemon/git/source/fetch.hpp"
#include "daemon/git/source/tend.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class Mirrors : public GitRoom {
 protected:
  std::string url() const { return "file://" + source_dir.string(); }
  fs::path made() {
    const Mirror mirror = make_mirror(root / "pools", {url(), {}, {}}, {});
    common = mirror.git_dir;
    return mirror.git_dir;
  }
};

TEST_F(Mirrors, AreNamedByTheirUrl) {
  for (const std::string& text :
       {std::string(), std::string("https://host/x.git"), std::string(55, 'a'), std::string(56, 'b'), std::string(1000, 'c')}) {
    write(root / "text", text);
    EXPECT_EQ(blob_id(text), sh(root, "git hash-object text"));
  }
  const auto name = [](const std::string& url) {
    const std::string file = mirror_path("/r", url).filename().string();
    return file.substr(0, file.size() - 17);
  };
  EXPECT_EQ(mirror_path("/r", "https://host/x.git").parent_path(), "/r/.sources");
  EXPECT_EQ(name("https://host/a/x.git"), "x");
  EXPECT_EQ(name("git@host:team/we ird.git/"), "we-ird");
  EXPECT_EQ(name("host:y"), "y");
  EXPECT_NE(mirror_path("/r", "https://host/x"), mirror_path("/r", "https://host/x.git"));
}

TEST_F(Mirrors, HaveWhatTheRemoteHas) {
  make_source("-b trunk");
  sh(source_dir, "git tag -a -m t v1 && git branch topic");
  const fs::path mirror = made();
  EXPECT_EQ(mirror, mirror_path(root / "pools", url()));
  EXPECT_EQ(mirrored_url(mirror), url());
  EXPECT_EQ(sh(mirror, "git for-each-ref --format='%(refname)'"),
            "refs/remotes/origin/HEAD\nrefs/remotes/origin/topic\nrefs/remotes/origin/trunk\nrefs/tags/v1");
  EXPECT_EQ(sh(mirror, "git symbolic-ref refs/remotes/origin/HEAD"), "refs/remotes/origin/trunk");
  EXPECT_EQ(sh(mirror, "git rev-parse --is-bare-repository && git fsck --no-dangling 2>&1 | grep -v notice; ls ..", true),
            "true\n" + mirror.filename().string());
  const SourceFacts facts = open_source(mirror.string(), {});
  EXPECT_TRUE(facts.worktree_config);
  EXPECT_FALSE(facts.worktree);
  EXPECT_EQ(default_commit_of(facts, {}), "refs/remotes/origin/trunk");
  EXPECT_FALSE(make_mirror(root / "pools", {url(), {}, {}}, {}).made);
}

TEST_F(Mirrors, HaveNoBranchCheckedOut) {
  make_source();
  made();
  const Git slot_git = ready_slot();
  switch_to_new(slot_git, "main", id("main"));
  sh(slot_path(), "git switch -q --detach && git switch -q main && git worktree list");
  EXPECT_EQ(sh(slot_path(), "git branch --show-current"), "main");
}

TEST_F(Mirrors, KeepEveryObject) {
  make_source();
  const fs::path mirror = made();
  ready_slot();
  const std::string lost =
      sh(slot_path(), "git commit -q --allow-empty -m lost && git rev-parse HEAD && git reset -q --hard HEAD~");
  sh(mirror, "git reflog expire --expire=now --all; git gc -q --prune=now; git prune --expire=now; git repack -a -d -q", true);
  EXPECT_EQ(sh(mirror, "git cat-file -t " + lost), "commit");
  EXPECT_EQ(sh(slot_path(), "git fsck --no-dangling 2>&1 | grep -v notice; git status --porcelain", true), "");
}

TEST_F(Mirrors, TakeNamesIdsAndFullNames) {
  make_source();
  const fs::path mirror = made();
  sh(source_dir,
     "git branch topic && git commit -q --allow-empty -m two && git update-ref refs/pull/7/head HEAD && git tag v2");
  EXPECT_TRUE(fetch(source(), {{"topic", "v2", "refs/pull/7/head"}, false}));
  EXPECT_EQ(sh(mirror, "git rev-parse refs/remotes/origin/topic refs/tags/v2 refs/wtpool/fetched/refs/pull/7/head"),
            id("topic").str() + "\n" + id("main").str() + "\n" + id("main").str());
  sh(source_dir, "git branch -D topic && git commit -q --allow-empty -m three");
  EXPECT_TRUE(fetch(source(), {{}, true}));
  EXPECT_EQ(sh(mirror, "git for-each-ref --format='%(refname)' refs/remotes/origin/topic"), "");
  sh(source_dir, "git commit -q --allow-empty -m four");
  fetch_from(source(), source_dir.string(), {{id("main").str()}, false});
  EXPECT_EQ(sh(mirror, "git cat-file -t " + id("main").str()), "commit");
}

TEST_F(Mirrors, BorrowFromAReferenceOnlyWhileTheyAreMade) {
  make_source();
  sh(root, "git clone -q source near");
  const Mirror mirror = make_mirror(root / "pools", {url(), {}, (root / "near").string()}, {});
  EXPECT_FALSE(fs::exists(mirror.git_dir + "/objects/info/alternates"));
  fs::remove_all(root / "near");
  EXPECT_EQ(sh(mirror.git_dir, "git rev-list --objects --all | wc -l"), sh(source_dir, "git rev-list --objects --all | wc -l"));
  EXPECT_EQ(kind_of([&] {
              (void)make_mirror(root / "other", {url(), {}, (root / "home").string()}, {});
            }),
            ErrorKind::source_missing);
}

TEST_F(Mirrors, ThatFailLeaveNothing) {
  EXPECT_EQ(kind_of([&] {
              (void)make_mirror(root / "pools", {"file:///nowhere/at/all", {}, {}}, {});
            }),
            ErrorKind::fetch_failed);
  EXPECT_TRUE(fs::is_empty(root / "pools/.sources"));
}

TEST_F(Mirrors, MayBeOfAnEmptyRemoteOrOfSha256) {
  sh(root, "git init -q --bare empty.git");
  const Mirror empty = make_mirror(root / "pools", {"file://" + (root / "empty.git").string(), {}, {}}, {});
  EXPECT_EQ(sh(empty.git_dir, "git for-each-ref"), "");
  make_source("--object-format=sha256");
  EXPECT_EQ(sh(made(), "git rev-parse --show-object-format refs/remotes/origin/main"), "sha256\n" + id("main").str());
}

TEST_F(Mirrors, UnfinishedOnesOfTheDeadAreTakenAway) {
  make_source();
  const fs::path mirror = made();
  write(root / "pools/.sources/.new-1-0/HEAD", "ref: refs/heads/main\n");
  write(root / "pools/.sources/.newer/HEAD", "somebody's");
  remove_unfinished_mirrors(root / "pools");
  EXPECT_FALSE(fs::exists(root / "pools/.sources/.new-1-0"));
  EXPECT_TRUE(fs::exists(root / "pools/.sources/.newer") && fs::exists(mirror));
}

TEST_F(Mirrors, AreTidiedUpWithoutLosingAnything) {
  make_source();
  const fs::path mirror = made();
  ready_slot();
  for (int i = 0; i < 25; ++i) {
    sh(source_dir, "git commit -q --allow-empty -m c" + std::to_string(i));
    EXPECT_TRUE(fetch(source(), {{"main"}, false}));
  }
  const std::string lost =
      sh(slot_path(), "git commit -q --allow-empty -m lost && git rev-parse HEAD && git reset -q --hard HEAD~");
  tend_mirror(source());
  EXPECT_LE(std::stoi(sh(mirror, "ls objects/pack/*.pack | wc -l")), 2);
  EXPECT_TRUE(fs::exists(mirror / "objects/info/commit-graph"));
  EXPECT_EQ(sh(mirror, "git rev-parse refs/remotes/origin/main && git cat-file -t " + lost), id("main").str() + "\ncommit");
  EXPECT_EQ(sh(slot_path(), "git fsck --no-dangling 2>&1 | grep -v notice; git status --porcelain", true), "");
  tend_mirror(source());
}

TEST_F(Mirrors, TwoMakersOfOneMakeOne) {
  make_source();
  // The second one comes while the first has not yet renamed its own.
  std::optional<Mirror> other;
  Context context;
  context.on_progress = [&](std::string_view) {
    if (!other) other = make_mirror(root / "pools", {url(), {}, {}}, {});
  };
  const Mirror first = make_mirror(root / "pools", {url(), {}, {}}, context);
  ASSERT_TRUE(other);
  EXPECT_TRUE(other->made);
  EXPECT_FALSE(first.made);
  EXPECT_EQ(first.git_dir, other->git_dir);
  EXPECT_EQ(sh(root / "pools/.sources", "ls -A | wc -l"), "1");
}

}  // namespace
}  // namespace wtpool::git
