#include <algorithm>

#include "daemon/git/source/add_worktree.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

using Tree = GitRoom;
using Paths = std::vector<std::string>;

TEST_F(Tree, IsSeenWithEveryKindOfChangeAndUnusualNames) {
  make_source();
  const Git git = ready_slot();
  TreeLook seen = look(git, Untracked::all, true);
  EXPECT_EQ(seen.head, id("HEAD"));
  EXPECT_FALSE(seen.branch);
  EXPECT_TRUE(seen.changed.empty() && seen.untracked.empty() && seen.nested.empty());

  switch_to_new(git, "feature/x", id("HEAD"));
  write(slot_path() / "dir/inner", "changed\n");
  write(slot_path() / "-n\new \xc3\xa4", "staged\n");
  sh(slot_path(), "git add -- -n* && git rm -q --cached file && echo i2a > later && git add -N later");
  write(slot_path() / "loose dir/a b", "x");
  write(slot_path() / "-leading", "x");
  fs::create_symlink("nowhere", slot_path() / "loose dir/link");
  write(slot_path() / ".gitignore", "*.ignored\n");
  write(slot_path() / "x.ignored", "x");
  sh(slot_path(), "git init -q nested && git init -q deep/nested");
  seen = look(git, Untracked::all, false);
  EXPECT_EQ(seen.branch, "feature/x");
  std::sort(seen.changed.begin(), seen.changed.end());
  EXPECT_EQ(seen.changed, (Paths{"-n\new \xc3\xa4", "dir/inner", "file", "later"}));
  EXPECT_EQ(seen.untracked, (Paths{"-leading", ".gitignore", "file", "loose dir/a b", "loose dir/link"}));
  EXPECT_EQ(seen.nested, (Paths{"deep/nested", "nested"}));
  EXPECT_TRUE(look(git, Untracked::no, false).untracked.empty());
}

TEST_F(Tree, LookIsNotMisledByTheUsersSettingsAndWritesNoIndexUnlessToldTo) {
  make_source();
  sh(source_dir, "git mv file moved && git commit -qm moved && git checkout -q --detach");
  const Git git = ready_slot();
  sh(source_dir,
     "git config status.showUntrackedFiles no && git config status.renames copies && git config color.ui always && "
     "git config status.relativePaths true && git config core.quotePath true");
  sh(slot_path(), "git mv moved again && touch -d 2001-01-01 dir/inner && echo x > new");
  const std::string before = read(entry() + "/index");
  const TreeLook seen = look(git, Untracked::all, false);
  EXPECT_EQ(seen.changed, (Paths{"again", "moved"}));
  EXPECT_EQ(seen.untracked, Paths{"new"});
  EXPECT_EQ(read(entry() + "/index"), before);
}

TEST_F(Tree, TellsADetachedHeadFromABranchOfThatName) {
  make_source();
  const Git git = ready_slot();
  switch_to_new(git, "(detached)", id("HEAD"));
  EXPECT_EQ(look(git, Untracked::no, false).branch, "(detached)");
}

TEST_F(Tree, ShowsUnmergedPathsAndASubmoduleAtAnotherCommit) {
  make_source();
  sh(root, "git init -q sub && cd sub && git commit -q --allow-empty -m s");
  sh(source_dir, "git submodule --quiet add ../sub sub && git commit -qm sub");
  const Git git = ready_slot();
  sh(slot_path(), "git submodule --quiet update --init && cd sub && git commit -q --allow-empty -m other");
  write(slot_path() / "sub/dirt", "x");
  EXPECT_EQ(look(git, Untracked::all, false).changed, Paths{"sub"});
  sh(slot_path(),
     "git submodule --quiet update -f && git checkout -q -b x && echo x > file && git commit -qam x && "
     "git checkout -q --detach HEAD~ && echo y > file && git commit -qam y");
  sh(slot_path(), "git merge x", true);
  EXPECT_EQ(look(git, Untracked::all, false).changed, Paths{"file"});
}

TEST_F(Tree, IsBroughtToAnotherCommitWithItsIndexWhileHeadStays) {
  make_source();
  const Git git = ready_slot();
  const Oid from = id("HEAD");
  sh(source_dir,
     "echo two > file && git rm -q dir/inner && mkdir new && echo new > new/inner && git add . && git commit -qm two");
  const Oid to = id("HEAD");
  write(slot_path() / "untracked", "mine");
  EXPECT_EQ(bring_tree(git, from, to), from);
  EXPECT_EQ(read(slot_path() / "file"), "two\n");
  EXPECT_EQ(read(slot_path() / "new/inner"), "new\n");
  EXPECT_FALSE(fs::exists(slot_path() / "dir"));
  EXPECT_EQ(read(slot_path() / "untracked"), "mine");
  EXPECT_EQ(read(entry() + "/HEAD"), from.str() + "\n");
  sh(source_dir, "git branch feature " + to.str());
  sh(slot_path(), "git symbolic-ref HEAD refs/heads/feature");
  EXPECT_TRUE(look(git, Untracked::no, false).changed.empty());
}

// `restore` is for what a few plain files differ in; that it ran, and what else did not, is seen from outside.
class FewFiles : public Tree {
 protected:
  // Of the slot, as they are some time after a checkout: git takes what is as young as the index for changed.
  void let_time_pass() {
    sh(slot_path(), "find . -type f ! -path ./.git -exec touch -d '1 hour ago' {} + && git update-index -q --refresh");
  }
  std::string ran() {
    const auto log = read(root / "ran");
    const bool restored = log.find(" restore ") != std::string::npos;
    const bool merged = log.find(" read-tree ") != std::string::npos;
    fs::remove(root / "ran");
    return std::string(restored ? "restore" : "") + (merged ? "read-tree" : "");
  }
  // Commits what `line` does in the source, and brings the slot there.
  void bring(const std::string& line) {
    const Oid from = id("HEAD");
    sh(source_dir, line + " && git add -A . && git commit -qm next");
    shim("echo \" $* \" >>'" + (root / "ran").string() + "'\nexec git \"$@\"\n");
    EXPECT_EQ(bring_tree(slot(), from, id("HEAD")), from);
    ::setenv("PATH", old_path.c_str(), 1);
    sh(slot_path(), "git update-ref --no-deref HEAD " + id("HEAD").str());
    EXPECT_EQ(sh(slot_path(), "git status --porcelain"), "");
    EXPECT_EQ(sh(slot_path(), "git diff --cached --raw HEAD"), "");
  }
};

TEST_F(FewFiles, AreChangedAddedAndRemovedWhateverTheyAreCalled) {
  make_source();
  (void)ready_slot();
  let_time_pass();
  bring(
      "echo two > file && git rm -q dir/inner && mkdir ':(top)new' && echo a > ':(top)new/*' && echo b > \"$(printf 'a\\nb "
      "')\"");
  EXPECT_EQ(ran(), "restore");
  EXPECT_EQ(read(slot_path() / "file"), "two\n");
  EXPECT_EQ(read(slot_path() / ":(top)new/*"), "a\n");
  EXPECT_EQ(read(slot_path() / "a\nb "), "b\n");
  EXPECT_FALSE(fs::exists(slot_path() / "dir"));
  let_time_pass();
  bring("echo c > file2 && chmod +x file");
  EXPECT_EQ(ran(), "restore");
  EXPECT_EQ(sh(slot_path(), "test -x file && echo yes"), "yes");
}

TEST_F(FewFiles, AreLeftToGitWhereThereIsMoreToKnow) {
  make_source();
  (void)ready_slot();
  for (const char* line : {"echo '* text' > .gitattributes", "ln -s file link", "git rm -q dir/inner && echo x > dir",
                           "git rm -q dir && mkdir dir && echo y > dir/y", "for i in $(seq 101); do echo $i > n$i; done"}) {
    let_time_pass();
    bring(line);
    EXPECT_EQ(ran(), "read-tree") << line;
  }
}

TEST_F(FewFiles, AreLeftToGitWhereAStrangersWorkIsStaged) {
  make_source();
  (void)ready_slot();
  sh(slot_path(), "echo staged > file && echo staged > added && git add file added && rm added");
  let_time_pass();
  const Oid from = id("HEAD");
  for (const char* line : {"echo two > file", "git checkout -q file && echo two > added"}) {
    sh(source_dir, std::string(line) + " && git add . && git commit -qm next");
    EXPECT_EQ(bring_tree(slot(), from, id("HEAD")), std::nullopt) << line;
    sh(source_dir, "git reset -q --hard " + from.str());
  }
  EXPECT_EQ(read(slot_path() / "file"), "staged\n");
}

TEST_F(FewFiles, AreLeftToGitWhereASymlinkLeadsAway) {
  make_source();
  (void)ready_slot();
  let_time_pass();
  sh(slot_path(), "mv dir ../elsewhere && ln -s ../elsewhere dir");  // inode and times stay
  bring("echo two > dir/inner");
  EXPECT_EQ(ran(), "read-tree");
  EXPECT_EQ(read(slot_path() / "../elsewhere/inner"), "inner\n");
}

TEST_F(FewFiles, AreLeftToGitWhereTheyMayHaveBeenTouched) {
  make_source();
  (void)ready_slot();
  let_time_pass();
  sh(slot_path(), "touch file");
  const Oid from = id("HEAD");
  sh(source_dir, "echo two > file && git commit -qam next");
  EXPECT_EQ(bring_tree(slot(), from, id("HEAD")), std::nullopt) << "git does not know either, and a switch has to look";
  EXPECT_EQ(read(slot_path() / "file"), "one\n");
}

TEST_F(Tree, OfALargeIndexIsBroughtToAnotherCommitWithHeadAndNothingElse) {
  make_source();
  // What makes an index large is the length of its paths, too.
  sh(source_dir,
     "o=$(git hash-object -w --stdin </dev/null) && d=$(printf %0240d 0) && long=$d/$d/$d/$d/$d/$d/$d/$d/$d/$d/$d/$d && "
     "seq 1 1500 | sed \"s|.*|100644 $o\t$long/&|\" | git update-index --index-info && git commit -qm large && "
     "git checkout -q -f");
  const Git git = ready_slot();
  const Oid from = id("HEAD");
  sh(source_dir,
     "echo two > file && git rm -q dir/inner && mkdir new && echo new > new/inner && ln -s file link && git add file new link "
     "&& "
     "git commit -qm two");
  const Oid to = id("HEAD");
  write(slot_path() / "untracked", "mine");
  write(slot_path() / "new/inner", "in the way");
  EXPECT_EQ(bring_tree(git, from, to), std::nullopt);
  EXPECT_EQ(read(entry() + "/HEAD"), from.str() + "\n");
  fs::remove_all(slot_path() / "new");
  EXPECT_EQ(bring_tree(git, from, to), to);
  EXPECT_EQ(read(slot_path() / "file"), "two\n");
  EXPECT_EQ(read(slot_path() / "new/inner"), "new\n");
  EXPECT_FALSE(fs::exists(slot_path() / "dir"));
  EXPECT_EQ(read(slot_path() / "untracked"), "mine");
  EXPECT_EQ(read(entry() + "/HEAD"), to.str() + "\n");
  EXPECT_FALSE(fs::exists(entry() + "/ORIG_HEAD"));
  EXPECT_TRUE(look(git, Untracked::no, false).changed.empty());
}

TEST_F(Tree, WhatChangesIsTheSameOfAHelperAndOfAGit) {
  make_source();
  const Git git = ready_slot();
  const Oid from = id("HEAD");
  sh(source_dir,
     "printf x > \"$(printf 'end-\\nof a line')\" && mkdir sub && echo s > sub/file && git rm -q file && git add . && git "
     "commit -qm two");
  const Oid to = id("HEAD");
  auto context = git.context();
  context.helpers = make_helpers(source_dir.string() + "/.git");
  const Git helped(git.place(), std::move(context));
  for (int time = 0; time < 3; ++time) {
    EXPECT_EQ(paths_added(helped, from, to), (Paths{"end-\nof a line", "sub/file"}));
    EXPECT_EQ(paths_added(helped, from, to), paths_added(git, from, to));
    EXPECT_EQ(paths_added(helped, to, from), paths_added(git, to, from));
    EXPECT_EQ(paths_added(helped, from, from), Paths{});
  }
}

TEST_F(Tree, IsNotBroughtOverWhatGitWouldLoseAndStaysAsItWas) {
  make_source();
  const Git git = ready_slot();
  const Oid from = id("HEAD");
  sh(source_dir, "echo two > file && echo added > added && git add . && git commit -qm two");
  const Oid to = id("HEAD");
  write(slot_path() / "added", "mine");
  EXPECT_EQ(bring_tree(git, from, to), std::nullopt) << "an untracked file is in the way";
  fs::remove(slot_path() / "added");
  write(slot_path() / "file", "changed by a stranger\n");
  EXPECT_EQ(bring_tree(git, from, to), std::nullopt) << "a tracked file was changed";
  EXPECT_EQ(read(slot_path() / "file"), "changed by a stranger\n");
  EXPECT_FALSE(fs::exists(slot_path() / "added"));
  EXPECT_EQ(look(git, Untracked::no, false).changed, Paths{"file"});
}

TEST_F(Tree, FreshCheckoutMakesTheBranchAndEverythingInIt) {
  make_source();
  (void)add_worktree(source(), slot_path(), id("HEAD"), "r");
  const Git git = slot();
  checkout_fresh(git, "feature", id("HEAD"));
  EXPECT_EQ(read(slot_path() / "dir/inner"), "inner\n");
  EXPECT_EQ(read_head(common, "slot-0").branch, "feature");
  EXPECT_TRUE(look(git, Untracked::all, true).changed.empty());
}

TEST_F(Tree, RefusesABranchThatExistsOrConflictsAndLeavesItAlone) {
  make_source();
  sh(source_dir, "git branch taken && git branch a/b");
  const Git git = ready_slot();
  sh(source_dir, "git commit -q --allow-empty -m two");
  for (const char* name : {"taken", "a", "a/b/c", "taken/x"}) {
    EXPECT_EQ(kind_of([&] { switch_to_new(git, name, id("HEAD")); }), ErrorKind::branch_exists) << name;
    EXPECT_EQ(kind_of([&] { checkout_fresh(git, name, id("HEAD")); }), ErrorKind::branch_exists) << name;
  }
  EXPECT_EQ(id("taken"), id("HEAD~"));
  EXPECT_EQ(read_head(common, "slot-0").branch, std::nullopt);
  EXPECT_EQ(kind_of([&] { switch_to_new(git, "new", Oid(std::string(40, '1'))); }), ErrorKind::git_failed);
}

TEST_F(Tree, SwitchesToAnExistingBranchUnlessItIsCheckedOutElsewhere) {
  make_source();
  sh(source_dir,
     "git checkout -q -b topic && echo t > file && git commit -qam t && git checkout -q main && git tag topic main");
  const Git git = ready_slot();
  switch_to_existing(git, "topic", false);
  EXPECT_EQ(read_head(common, "slot-0").branch, "topic");
  EXPECT_EQ(read(slot_path() / "file"), "t\n");
  reset_hard(git, id("main"));
  (void)add_worktree(source(), slot_path("slot-1"), id("main"), "r");
  switch_to_existing(slot("slot-1"), "topic", true);
  EXPECT_EQ(read(slot_path("slot-1") / "file"), "t\n");
  EXPECT_EQ(kind_of([&] { switch_to_existing(git, "topic", false); }), ErrorKind::git_failed);
  EXPECT_EQ(kind_of([&] { switch_to_existing(git, "main", true); }), ErrorKind::git_failed);
}

TEST_F(Tree, SwitchAtTheSameCommitReadsNoIndex) {
  make_source();
  const Git git = ready_slot();
  write(entry() + "/index", "not an index");
  switch_to_new(git, "quick", id("HEAD"));
  EXPECT_EQ(read_head(common, "slot-0").branch, "quick");
  EXPECT_EQ(read_head(common, "slot-0").oid, id("HEAD"));
  EXPECT_EQ(kind_of([&] { switch_to_new(git, "quick", id("HEAD")); }), ErrorKind::branch_exists);
}

TEST_F(Tree, SwitchNeverOverwritesAnIgnoredFile) {
  make_source();
  write(source_dir / "cache", "tracked now\n");
  sh(source_dir, "git checkout -q -b next && git add cache && git commit -qm cache && git checkout -q main");
  const Git git = ready_slot();
  write(slot_path() / ".gitignore", "cache\n.gitignore\n");
  write(slot_path() / "cache", "warm\n");
  EXPECT_EQ(kind_of([&] { switch_to_new(git, "x", id("next")); }), ErrorKind::git_failed);
  EXPECT_EQ(read(slot_path() / "cache"), "warm\n");
}

TEST_F(Tree, ResetMakesTrackedFilesExactAndLeavesUntrackedOnes) {
  make_source();
  const Git git = ready_slot();
  switch_to_new(git, "feature", id("HEAD"));
  write(slot_path() / "file", "changed\n");
  write(slot_path() / "new", "staged\n");
  write(slot_path() / "warm", "kept\n");
  fs::remove_all(slot_path() / "dir");
  fs::create_symlink(root, slot_path() / "dir");
  sh(slot_path(), "git add new");
  reset_hard(git, id("HEAD"));
  EXPECT_EQ(read(slot_path() / "file"), "one\n");
  EXPECT_EQ(read(slot_path() / "dir/inner"), "inner\n");
  EXPECT_TRUE(fs::is_directory(fs::symlink_status(slot_path() / "dir")));
  EXPECT_FALSE(fs::exists(root / "inner"));
  EXPECT_EQ(read(slot_path() / "warm"), "kept\n");
  EXPECT_FALSE(fs::exists(slot_path() / "new"));
  EXPECT_EQ(read_head(common, "slot-0").branch, std::nullopt);
  EXPECT_EQ(id("feature"), id("HEAD"));
  fs::remove(entry() + "/index");
  reset_hard(git, id("HEAD"));
  EXPECT_TRUE(look(git, Untracked::no, true).changed.empty());
}

TEST_F(Tree, KnowsWhatStandsInTheWayOfACommit) {
  make_source();
  const Oid from = id("HEAD");
  sh(source_dir,
     "git checkout -q -b next && git rm -qr dir file && mkdir file a b && echo 1 > file/now-a-directory && "
     "echo 1 > dir && echo 1 > a/b && echo 1 > b/c && echo 1 > plain && echo 1 > absent && git add . && git commit -qm n");
  const Oid to = id("next");
  sh(source_dir, "git checkout -q main");
  const Git git = ready_slot();
  write(slot_path() / "a", "untracked file where a directory goes");
  write(slot_path() / "b/c/inside", "untracked directory where a file goes");
  write(slot_path() / "dir/.gitignore", "*");
  write(slot_path() / "dir/ignored", "beside a tracked file, in a directory that becomes a file");
  fs::create_directories(slot_path() / "absent/empty/directories");
  fs::create_symlink("nowhere", slot_path() / "plain");

  const Paths blocked = in_the_way(slot_path().string(), paths_added(git, from, to));
  EXPECT_EQ(blocked, (Paths{"a", "b/c", "dir/.gitignore", "dir/ignored", "plain"}));
  move_aside(slot_path(), blocked, root / "aside");
  EXPECT_TRUE(fs::exists(root / "aside/b/c/inside"));
  EXPECT_TRUE(fs::is_symlink(fs::symlink_status(root / "aside/plain")));
  switch_to_new(git, "x", to);
  EXPECT_EQ(read(slot_path() / "dir"), "1\n");
  EXPECT_EQ(read(slot_path() / "file/now-a-directory"), "1\n");
  const TreeLook seen = look(git, Untracked::all, true);
  EXPECT_TRUE(seen.changed.empty() && seen.untracked.empty());
  EXPECT_TRUE(in_the_way(slot_path().string(), {}).empty());
}

TEST_F(Tree, AFormerSubmoduleStandsInTheWayOfAFile) {
  make_source();
  sh(root, "git init -q sub && cd sub && git commit -q --allow-empty -m s");
  sh(source_dir, "git submodule --quiet add ../sub sub && git commit -qm sub");
  const Oid from = id("HEAD");
  const Git git = ready_slot();
  sh(slot_path(), "git submodule --quiet update --init");
  sh(source_dir, "git rm -qf sub && echo f > sub && git add sub && git commit -qm file");
  EXPECT_EQ(in_the_way(slot_path().string(), paths_added(git, from, id("HEAD"))), Paths{"sub"});
}

TEST_F(Tree, HidingBitsAreFoundAndCleared) {
  make_source();
  const Git git = ready_slot();
  sh(slot_path(),
     "git update-index --assume-unchanged file && git update-index --skip-worktree dir/inner && "
     "echo hidden > file && echo hidden > dir/inner");
  EXPECT_TRUE(look(git, Untracked::all, false).changed.empty());
  EXPECT_TRUE(clear_hiding_bits(git, entry()).empty());
  EXPECT_EQ(look(git, Untracked::all, false).changed, (Paths{"dir/inner", "file"}));
  sh(slot_path(), "git update-index --assume-unchanged file && git update-index --skip-worktree file");
  EXPECT_TRUE(clear_hiding_bits(git, entry()).empty());
  EXPECT_EQ(look(git, Untracked::all, false).changed, (Paths{"dir/inner", "file"}));
}

TEST_F(Tree, WhatAHolderLeftOutOfTheTreeIsNotDeletedAndComesBack) {
  make_source();
  const Git git = ready_slot();
  for (const char* option : {"", "--sparse-index"}) {
    sh(slot_path(), std::string("git sparse-checkout set --cone ") + option + " other");
    ASSERT_FALSE(fs::exists(slot_path() / "dir/inner"));
    restore_private_config(entry(), (root / "none").string());
    const Paths left_out = clear_hiding_bits(git, entry());
    EXPECT_EQ(left_out, Paths{"dir/inner"}) << option;
    EXPECT_TRUE(look(git, Untracked::all, false).changed.empty());
    no_longer_left_out(git, left_out);
    reset_hard(git, id("HEAD"));
    EXPECT_EQ(read(slot_path() / "dir/inner"), "inner\n");
    EXPECT_TRUE(clear_hiding_bits(git, entry()).empty());
    EXPECT_TRUE(look(git, Untracked::all, false).changed.empty());
  }
}

TEST_F(Tree, WhatStandsWhereAHolderLeftAFileOutIsSeen) {
  make_source();
  const Git git = ready_slot();
  sh(slot_path(), "git update-index --skip-worktree dir/inner && rm -r dir && echo mine > dir");
  EXPECT_TRUE(clear_hiding_bits(git, entry()).empty());
  const TreeLook seen = look(git, Untracked::all, false);
  EXPECT_EQ(seen.changed, Paths{"dir/inner"});
  EXPECT_EQ(trodden_by_reset(git, seen, id("HEAD")).files, Paths{"dir"});
}

TEST_F(Tree, ASparseSlotStaysSparse) {
  make_source();
  sh(source_dir, "git config extensions.worktreeConfig true");
  const Git git = ready_slot();
  sh(slot_path(), "git sparse-checkout set --no-cone /file");
  keep_private_config(entry(), (root / "pristine").string());
  ASSERT_FALSE(fs::exists(slot_path() / "dir/inner"));
  sh(slot_path(), "git update-index --skip-worktree file && rm file");
  EXPECT_TRUE(clear_hiding_bits(git, entry()).empty());
  reset_hard(git, id("HEAD"));
  EXPECT_FALSE(fs::exists(slot_path() / "dir/inner"));
  EXPECT_EQ(read(slot_path() / "file"), "one\n");
  EXPECT_TRUE(look(git, Untracked::all, false).changed.empty());

  sh(slot_path(), "git sparse-checkout disable && git config --worktree core.hooksPath /evil");
  restore_private_config(entry(), (root / "pristine").string());
  EXPECT_EQ(read(entry() + "/info/sparse-checkout"), "/file\n");
  EXPECT_EQ(sh(slot_path(), "git config --worktree core.hooksPath", true), "");
  reset_hard(git, id("HEAD"));
  EXPECT_FALSE(fs::exists(slot_path() / "dir/inner"));
}

TEST_F(Tree, PrivateConfigThatGitDidNotMakeGoes) {
  make_source();
  ready_slot();
  keep_private_config(entry(), (root / "pristine").string());
  write(entry() + "/config.worktree", "[core]\n bare = true\n");
  write(entry() + "/info/sparse-checkout", "/nothing\n");
  restore_private_config(entry(), (root / "pristine").string());
  EXPECT_FALSE(fs::exists(entry() + "/config.worktree"));
  EXPECT_FALSE(fs::exists(entry() + "/info/sparse-checkout"));
  write(root / "victim", "precious");
  fs::create_symlink(root / "victim", entry() + "/config.worktree");
  restore_private_config(entry(), (root / "pristine").string());
  EXPECT_FALSE(fs::is_symlink(fs::symlink_status(entry() + "/config.worktree")));
  EXPECT_EQ(read(root / "victim"), "precious");
}

class Operation : public GitRoom {
 protected:
  // A slot in which `side` and HEAD changed the same line.
  Git conflict() {
    make_source();
    const Git git = ready_slot();
    sh(slot_path(),
       "git checkout -q -b side && echo s > file && git commit -qam side && git checkout -q --detach HEAD~ && "
       "echo h > file && git commit -qam ours");
    return git;
  }
  void expect_cleared(const Git& git, const std::string& what) {
    remove_stale_locks(entry());
    clear_operations(entry());
    reset_hard(git, id("main"));
    const std::string status = sh(slot_path(), "git status --long");
    for (const char* word : {"rebase", "merg", "cherry", "revert", "bisect", "progress"}) {
      EXPECT_EQ(status.find(word), std::string::npos) << what << ": " << status;
    }
    for (const auto& item : fs::directory_iterator(entry())) {
      const std::string name = item.path().filename();
      EXPECT_TRUE(name == "HEAD" || name == "index" || name == "logs" || name == "gitdir" || name == "commondir" ||
                  name == "locked" || name == "refs" || name == "ORIG_HEAD")
          << what << " left " << name;
    }
    EXPECT_TRUE(look(git, Untracked::all, true).changed.empty());
    switch_to_new(git, "after", id("main"));
  }
};

TEST_F(Operation, MergeIsCleared) {
  const Git git = conflict();
  sh(slot_path(), "git merge side", true);
  expect_cleared(git, "merge");
}

TEST_F(Operation, RebaseIsClearedAndItsAutostashIsFound) {
  const Git git = conflict();
  sh(slot_path(), "echo dirty > dir/inner && git rebase --autostash side", true);
  const std::vector<Oid> stashed = autostashes(entry());
  ASSERT_EQ(stashed.size(), 1u);
  EXPECT_EQ(sh(source_dir, "git show " + stashed[0].str() + ":dir/inner"), "dirty");
  expect_cleared(git, "rebase");
  EXPECT_TRUE(autostashes(entry()).empty());
}

TEST_F(Operation, RebaseWithApplyIsCleared) {
  const Git git = conflict();
  sh(slot_path(), "git rebase --apply side", true);
  expect_cleared(git, "rebase --apply");
}

TEST_F(Operation, CherryPickAndRevertAreCleared) {
  const Git git = conflict();
  sh(slot_path(), "git cherry-pick side side", true);
  expect_cleared(git, "cherry-pick");
  sh(slot_path(), "git revert --no-edit side", true);
  sh(slot_path(), "git branch -D after", true);
  reset_hard(git, id("main"));
  sh(source_dir, "git branch -D after", true);
  expect_cleared(git, "revert");
}

TEST_F(Operation, BisectAndTheSlotsOwnRefsAreCleared) {
  const Git git = conflict();
  sh(slot_path(), "git bisect start HEAD main && git update-ref refs/worktree/mine HEAD && git update-ref MY_HEAD HEAD");
  expect_cleared(git, "bisect");
  EXPECT_EQ(sh(slot_path(), "git for-each-ref refs/worktree refs/bisect"), "");
}

TEST_F(Operation, LocksOfTheSlotAreRemovedAndNothingElse) {
  make_source();
  const Git git = ready_slot();
  write(entry() + "/worktree-pool/lock", "marker");
  write(entry() + "/index.lock", "");
  fs::create_symlink(root / "home/.gitconfig", entry() + "/HEAD.lock");
  EXPECT_EQ(kind_of([&] { reset_hard(git, id("HEAD")); }), ErrorKind::git_failed);
  remove_stale_locks(entry());
  clear_operations(entry());
  reset_hard(git, id("HEAD"));
  EXPECT_EQ(read(entry() + "/worktree-pool/lock"), "marker");
  EXPECT_TRUE(fs::exists(root / "home/.gitconfig"));
  EXPECT_EQ(read(entry() + "/locked"), "wtpool test\n");
}

// git looks through the symlink and finds the files as it knows them.
TEST_F(Tree, ASymlinkInThePlaceOfADirectoryIsSeenAndGoesWithAReset) {
  make_source();
  const Git git = ready_slot();
  fs::rename(slot_path() / "dir", root / "moved");
  fs::create_symlink(root / "moved", slot_path() / "dir");
  const TreeLook seen = look(git, Untracked::all, true);
  EXPECT_EQ(seen.changed, std::vector<std::string>{"dir/inner"});
  reset_hard(git, id("HEAD"));
  EXPECT_TRUE(fs::is_directory(fs::symlink_status(slot_path() / "dir")));
  EXPECT_EQ(read(slot_path() / "dir/inner"), "inner\n");
  EXPECT_TRUE(look(git, Untracked::all, true).changed.empty());
  EXPECT_EQ(read(root / "moved/inner"), "inner\n") << "what it led to is nobody's to touch";
}

}  // namespace
}  // namespace wtpool::git
