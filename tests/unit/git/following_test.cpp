// A checkout follows its branch, whatever its owner has in it, and after a kill at any moment.
#include "daemon/git/tree/following.hpp"

#include <random>

#include "support.hpp"

namespace wtpool::git {
namespace {

class Following : public GitRoom {
 protected:
  void SetUp() override {
    GitRoom::SetUp();
    make_source();
    for (int i = 0; i < 60; ++i) write(source_dir / ("d" + std::to_string(i % 7)) / ("f" + std::to_string(i)), text(i, 0));
    write(source_dir / "turns/into", "a file in a directory\n");
    write(source_dir / "becomes", "a file\n");
    write(source_dir / "owned", "1\n");
    write(source_dir / "staged", "1\n");
    write(source_dir / ".gitignore", "*.log\n");
    sh(source_dir, "ln -s owned link && git add -A && git commit -qm before");
    before = id("HEAD");
    for (int i = 0; i < 60; i += 2) write(source_dir / ("d" + std::to_string(i % 7)) / ("f" + std::to_string(i)), text(i, 1));
    sh(source_dir,
       "git rm -q d1/f1 d1/f15 && rm -r turns && echo file > turns && rm becomes && mkdir becomes && "
       "echo in > becomes/dir && chmod +x owned.x 2>/dev/null; ln -sf staged link; mkdir -p new/deep && "
       "seq 1 20000 > new/deep/big && chmod +x d0/f7 && git add -A && git commit -qm after");
    after = id("HEAD");
    sh(source_dir, "git reset -q --hard " + before.str());
  }
  static std::string text(int file, int version) {
    std::string text = std::to_string(version) + "\n";
    for (int i = 0; i < 400; ++i) text += "line " + std::to_string(i * file) + "\n";
    return text;
  }
  Git checkout() const { return Git(Place{common, source_dir.string()}, {}); }
  MayFollow may() const { return may_follow(checkout(), "main", before, after); }
  void move_branch() const { sh(source_dir, "git update-ref refs/heads/main " + after.str()); }
  std::string status() const { return sh(source_dir, "git status --porcelain --untracked-files=all"); }

  Oid before, after;
};

TEST_F(Following, ChangesElsewhereStayAsTheyAre) {
  write(source_dir / "owned", "mine\n");
  write(source_dir / "staged", "mine too\n");
  write(source_dir / "untracked", "mine\n");
  sh(source_dir, "git add staged");
  const std::string mine = status();
  ASSERT_EQ(may().blocked, "");
  move_branch();
  follow(checkout(), before, after);
  EXPECT_EQ(status(), mine);
  EXPECT_EQ(read(source_dir / "new/deep/big"), sh(source_dir, "git show main:new/deep/big") + "\n");
}

TEST_F(Following, WhatIsInTheWayIsNamedBefore) {
  write(source_dir / "d0/f0", "mine\n");
  write(source_dir / "new/deep/big", "mine\n");
  MayFollow look = may();
  EXPECT_NE(look.blocked, "");
  EXPECT_EQ(look.in_the_way, (std::vector<std::string>{"d0/f0", "new/deep/big"}));
  sh(source_dir, "git reset -q --hard && rm -r new && git rm -q --cached d0/f0");
  EXPECT_EQ(may().in_the_way, std::vector<std::string>{"d0/f0"});
}

TEST_F(Following, IgnoredFilesInTheWayAreTold) {
  sh(source_dir, "echo x > a.log && git add -f a.log && git commit -qm ignored");
  const Oid with = id("HEAD");
  sh(source_dir, "git reset -q --hard " + before.str());
  write(source_dir / "a.log", "mine\n");
  const MayFollow look = may_follow(checkout(), "main", before, with);
  EXPECT_EQ(look.blocked, "");
  EXPECT_EQ(look.ignored, std::vector<std::string>{"a.log"});
}

TEST_F(Following, AnOperationHalfDoneBlocks) {
  const auto blocked_by = [&](const std::string& file) {
    write(fs::path(common) / file, "x\n");
    const std::string why = may().blocked;
    fs::remove(fs::path(common) / file);
    return why;
  };
  EXPECT_NE(blocked_by("MERGE_HEAD").find("a merge is half done"), std::string::npos);
  EXPECT_NE(blocked_by("CHERRY_PICK_HEAD").find("cherry-pick"), std::string::npos);
  EXPECT_NE(blocked_by("index.lock").find("index.lock"), std::string::npos);
  fs::create_directories(fs::path(common) / "rebase-merge");
  EXPECT_NE(may().blocked.find("rebase"), std::string::npos);
  fs::remove_all(fs::path(common) / "rebase-merge");
  sh(source_dir, "git switch -q -c other");
  EXPECT_NE(may().blocked, "");
  sh(source_dir, "git switch -q main");
  EXPECT_EQ(may().blocked, "");
}

TEST_F(Following, UnmergedFilesBlock) {
  sh(source_dir,
     "git checkout -q -b other && echo o > owned && git commit -qam o && git checkout -q main && echo m > owned && "
     "git commit -qam m && git merge -q other; rm .git/MERGE_HEAD",
     true);
  EXPECT_NE(may_follow(checkout(), "main", id("main"), after).blocked.find("unmerged"), std::string::npos);
}

TEST_F(Following, EveryWorktreeThatHasTheBranchIsFound) {
  EXPECT_EQ(checkouts_of(common, source_dir.string(), "main").size(), 1U);
  sh(source_dir, "git switch -q -c other && git worktree add -q ../linked main");
  const auto found = checkouts_of(common, source_dir.string(), "main");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].work_tree, (root / "linked").string());
  EXPECT_EQ(found[0].git_id, "linked");
}

TEST_F(Following, CatchingUpDoesTheWholeUpdateFromTheBeginning) {
  write(source_dir / "owned", "mine\n");
  write(source_dir / "staged", "mine\n");
  sh(source_dir, "git add staged");
  const std::string mine = status();
  move_branch();
  catch_up(checkout(), before, after);
  EXPECT_EQ(status(), mine);
  catch_up(checkout(), before, after);
  EXPECT_EQ(status(), mine);
}

TEST_F(Following, WhatSomebodyWroteSinceStaysAsAChange) {
  move_branch();
  follow(checkout(), before, after);
  write(source_dir / "d0/f0", "mine\n");
  write(source_dir / "d2/f2", "staged\n");
  sh(source_dir, "git add d2/f2");
  const std::string mine = status();
  catch_up(checkout(), before, after);
  EXPECT_EQ(status(), mine);
  EXPECT_EQ(read(source_dir / "d0/f0"), "mine\n");
}

TEST_F(Following, SomebodysChangeBeforeTheIndexFollowedStays) {
  move_branch();
  write(source_dir / "d0/f0", "mine\n");
  catch_up(checkout(), before, after);
  EXPECT_EQ(status(), " M d0/f0");
  EXPECT_EQ(read(source_dir / "d0/f0"), "mine\n");
}

TEST_F(Following, ALinkOnTheWayIsNotFollowed) {
  fs::create_directories(root / "outside");
  move_branch();
  sh(source_dir, "rm -rf d0 && ln -s ../outside d0");
  catch_up(checkout(), before, after);
  EXPECT_TRUE(fs::is_empty(root / "outside"));
}

TEST_F(Following, KilledAtAnyMomentItIsCaughtUp) {
  const char* asked = std::getenv("WTPOOL_KILLS");
  const int kills = asked == nullptr ? 15 : std::atoi(asked);
  std::mt19937 random(7);
  int half = 0;
  for (int i = 0; i < kills; ++i) {
    SCOPED_TRACE(i);
    sh(source_dir,
       "rm -rf turns becomes new; rm -f .git/index.lock; git reset -q --hard " + before.str() + " && git clean -qfd");
    write(source_dir / "owned", "mine\n");
    write(source_dir / "staged", "mine\n");
    write(source_dir / "untracked", "mine\n");
    sh(source_dir, "git add staged");
    const std::string mine = status();
    move_branch();
    const double delay = 0.001 + static_cast<double>(random() % 14000) / 1e6;
    sh(source_dir, "timeout -s KILL " + std::to_string(delay) + " git read-tree -m -u " + before.str() + " " + after.str(),
       true);
    if (fs::exists(fs::path(common) / "index.lock")) ++half;
    catch_up(checkout(), before, after);
    ASSERT_EQ(status(), mine);
    ASSERT_EQ(sh(source_dir, "git diff --cached --name-only main"), "staged");
    ASSERT_FALSE(fs::exists(fs::path(common) / "index.lock"));
  }
  RecordProperty("half", half);
}

TEST_F(Following, ASparseCheckoutStaysSparse) {
  sh(source_dir, "git sparse-checkout set --no-cone '/*' '!/d2/' '!/new/'");
  move_branch();
  catch_up(checkout(), before, after);
  EXPECT_EQ(status(), "");
  EXPECT_FALSE(fs::exists(source_dir / "d2"));
  EXPECT_FALSE(fs::exists(source_dir / "new"));
}

}  // namespace
}  // namespace wtpool::git
