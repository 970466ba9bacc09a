#include <sys/stat.h>
#include <algorithm>

#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class Save : public GitRoom {
 protected:
  Saved save(const Git& git, bool untracked = true, std::uint64_t bytes = 1 << 20, std::uint64_t files = 1000) {
    const TreeLook seen = look(git, Untracked::all, true);
    const std::string before = read(entry() + "/index");
    Saved saved =
        save_work(git, {"feature", id("main"), seen.changed, untracked ? seen.untracked : std::vector<std::string>{}, bytes,
                        files, root / "trash/ID"});
    EXPECT_EQ(read(entry() + "/index"), before);
    for (const auto& item : fs::directory_iterator(entry() + "/worktree-pool")) {
      EXPECT_FALSE(item.path().filename().string().starts_with("tmp-")) << item.path();
    }
    return saved;
  }
  // What `git ls-tree` of a saved tree says, one line a file.
  std::string tree(const std::string& expression) {
    return sh(source_dir, "git ls-tree -r --format='%(objectmode) %(path)' '" + expression + "'");
  }
};

TEST_F(Save, RestoresByHandWithGitStashApplyInAPlainClone) {
  make_source();
  const Git git = ready_slot();
  switch_to_new(git, "feature", id("HEAD"));
  write(slot_path() / "file", "staged\n");
  sh(slot_path(), "git add file");
  write(slot_path() / "file", "staged\nand more\n");
  write(slot_path() / "added", "added\n");
  sh(slot_path(), "git add added && rm dir/inner");
  write(slot_path() / "loose/-x\ny", "untracked\n");
  const Saved saved = save(git);
  ASSERT_TRUE(saved.work);
  EXPECT_FALSE(saved.moved_aside);
  RefTransaction transaction;
  transaction.create(trash_ref("ID", "work"), *saved.work);
  transaction.commit(source());
  EXPECT_TRUE(sh(source_dir, "git log -1 --format=%s " + saved.work->str()).starts_with("WIP on feature: "));

  sh(root,
     "git clone -q source clone && cd clone && git fetch -q origin refs/wtpool/trash/ID/work && "
     "git stash apply -q --index FETCH_HEAD");
  EXPECT_EQ(read(root / "clone/file"), "staged\nand more\n");
  EXPECT_EQ(sh(root / "clone", "git show :file"), "staged");
  EXPECT_EQ(sh(root / "clone", "git diff --cached --name-status"), "A\tadded\nM\tfile");
  EXPECT_FALSE(fs::exists(root / "clone/dir/inner"));
  EXPECT_EQ(read(root / "clone/loose/-x\ny"), "untracked\n");
  EXPECT_EQ(sh(root / "clone", "git fsck --no-dangling"), "");
}

TEST_F(Save, TakesUntrackedFilesInLaterUnlessOneWouldTakeThePlaceOfAnother) {
  make_source();
  const Git git = ready_slot();
  write(slot_path() / "file", "changed\n");
  write(slot_path() / "first", "first\n");
  const Saved saved = save(git);
  ASSERT_TRUE(saved.work);
  const auto late = [&](const std::string& path) {
    return with_untracked(git, *saved.work, {"feature", id("main"), {}, {path}, 1 << 20, 1000, {}});
  };
  write(slot_path() / "late/second", "second\n");
  const auto work = late("late/second");
  ASSERT_TRUE(work);
  EXPECT_EQ(tree(work->work->str() + "^3"), "100644 first\n100644 late/second");
  for (const auto* same : {"^{tree}", "^1", "^2"})
    EXPECT_EQ(sh(source_dir, "git rev-parse '" + work->work->str() + same + "'"),
              sh(source_dir, "git rev-parse '" + saved.work->str() + same + "'"));

  write(slot_path() / "first", "another\n");
  EXPECT_FALSE(late("first"));
  fs::remove(slot_path() / "first");
  write(slot_path() / "first/below", "a directory by now\n");
  EXPECT_FALSE(late("first/below"));
  EXPECT_EQ(tree(saved.work->str() + "^3"), "100644 first");
}

TEST_F(Save, KeepsNothingWhenThereIsNothing) {
  make_source();
  const Git git = ready_slot();
  fs::create_directories(entry() + "/worktree-pool");
  EXPECT_FALSE(save(git).work);
}

TEST_F(Save, KeepsModesSymlinksTypeChangesAndWhatReplacesDirectories) {
  make_source();
  sh(source_dir, "mkdir sub && echo a > sub/a && echo b > sub/b && echo t > turns && git add . && git commit -qm more");
  const Git git = ready_slot();
  fs::permissions(slot_path() / "file", fs::perms::owner_exec, fs::perm_options::add);
  fs::remove(slot_path() / "turns");
  fs::create_symlink("/etc/passwd", slot_path() / "turns");
  fs::remove_all(slot_path() / "dir");
  write(slot_path() / "dir", "now a file\n");
  fs::remove_all(slot_path() / "sub");
  fs::create_directory_symlink(root / "home", slot_path() / "sub");
  write(root / "home/a", "outside\n");
  const Saved saved = save(git);
  ASSERT_TRUE(saved.work);
  EXPECT_EQ(tree(saved.work->str()), "100755 file\n120000 turns");
  EXPECT_EQ(sh(source_dir, "git show " + saved.work->str() + ":turns"), "/etc/passwd");
  EXPECT_EQ(tree(saved.work->str() + "^3"), "100644 dir\n120000 sub");
}

TEST_F(Save, OfAnIndexWhoseDirectoryIsGoneKeepsWhatIsStagedAndOfAConflictOurSide) {
  make_source();
  const Git git = ready_slot();
  const Oid base(sh(slot_path(), "git rev-parse HEAD"));
  const Git entry = git.with_place({git.place().git_dir, {}});
  EXPECT_FALSE(save_index(entry, "x", base)) << "nothing is staged";
  sh(slot_path(),
     "git checkout -q -b side && echo s > file && git commit -qam s && git checkout -q --detach HEAD~ && "
     "echo h > file && git commit -qam h");
  sh(slot_path(), "git merge side", true);
  sh(slot_path(), "echo staged > added && git add added");
  fs::remove_all(slot_path());
  const auto work = save_index(entry, "x", base);
  ASSERT_TRUE(work);
  EXPECT_EQ(sh(source_dir, "git show " + work->work->str() + ":added"), "staged");
  EXPECT_EQ(sh(source_dir, "git show " + work->work->str() + ":file"), "h");
  EXPECT_EQ(sh(source_dir, "git rev-parse " + work->work->str() + "^{tree}"),
            sh(source_dir, "git rev-parse " + work->work->str() + "^2^{tree}"));
  EXPECT_EQ(fs::exists(fs::path(entry.place().git_dir) / "index"), true);
  write(fs::path(entry.place().git_dir) / "index", "no index");
  EXPECT_THROW((void)save_index(entry, "x", base), Error);
}

TEST_F(Save, KeepsConflictsIntentToAddAndADirectoryInPlaceOfAFile) {
  make_source();
  const Git git = ready_slot();
  sh(slot_path(),
     "git checkout -q -b side && echo s > file && git commit -qam s && git checkout -q --detach HEAD~ && "
     "echo h > file && git commit -qam h");
  sh(slot_path(), "git merge side", true);
  sh(slot_path(),
     "echo later > later && git add -N later && rm dir/inner && mkdir dir/inner && echo deep > dir/inner/deep && "
     "git add dir/inner/deep");
  const Saved saved = save(git);
  ASSERT_TRUE(saved.work);
  const std::string work = saved.work->str();
  EXPECT_NE(sh(source_dir, "git show " + work + ":file").find("<<<<<<<"), std::string::npos);
  EXPECT_EQ(sh(source_dir, "git show " + work + "^2:file"), "h");
  EXPECT_EQ(sh(source_dir, "git show " + work + ":later"), "later");
  EXPECT_EQ(tree(work + "^2"), "100644 dir/inner/deep\n100644 file");
  EXPECT_EQ(sh(source_dir, "git show " + work + ":dir/inner/deep"), "deep");
}

TEST_F(Save, SeesAChangeThatSizeAndTimeHide) {
  make_source();
  const Git git = ready_slot();
  sh(slot_path(), "touch -d '2001-01-01 00:00:00' file && git update-index --refresh", true);
  sh(slot_path(), "printf 'two\\n' > file && touch -d '2001-01-01 00:00:00' file");
  const Saved saved = save_work(git, {"x", id("HEAD"), {"file"}, {}, 1000, 10, {}});
  ASSERT_TRUE(saved.work);
  EXPECT_EQ(sh(source_dir, "git show " + saved.work->str() + ":file"), "two");
}

TEST_F(Save, LeavesSubmodulesAndNestedRepositoriesOut) {
  make_source();
  sh(root, "git init -q sub && cd sub && git commit -q --allow-empty -m s");
  sh(source_dir, "git submodule --quiet add ../sub sub && git commit -qm sub");
  const Oid gitlink = id("HEAD:sub");
  const Git git = ready_slot();
  sh(slot_path(), "git submodule --quiet update --init && cd sub && git commit -q --allow-empty -m other");
  sh(slot_path(), "git init -q nested && cd nested && git commit -q --allow-empty -m n");
  write(slot_path() / "file", "changed\n");
  const Saved saved = save(git);
  ASSERT_TRUE(saved.work);
  EXPECT_EQ(id(saved.work->str() + ":sub"), gitlink);
  EXPECT_EQ(sh(source_dir, "git rev-list --parents -n1 " + saved.work->str() + " | wc -w"), "3");
}

TEST_F(Save, KeepsAFileThatIsDeletedInTheIndexAndThereAgain) {
  make_source();
  const Git git = ready_slot();
  sh(slot_path(), "git rm -q --cached file && echo again > file");
  const Saved saved = save(git, false);
  ASSERT_TRUE(saved.work);
  EXPECT_EQ(sh(source_dir, "git show " + saved.work->str() + ":file"), "again");
  EXPECT_EQ(tree(saved.work->str() + "^2"), "100644 dir/inner");
}

TEST_F(Save, WorksInASparseSlotAndWithASplitIndex) {
  make_source();
  sh(source_dir, "git config extensions.worktreeConfig true");
  const Git git = ready_slot();
  sh(slot_path(), "git sparse-checkout set --no-cone /file && git update-index --split-index && echo changed > file");
  const Saved saved = save(git);
  ASSERT_TRUE(saved.work);
  EXPECT_EQ(tree(saved.work->str()), "100644 dir/inner\n100644 file");
  EXPECT_EQ(sh(source_dir, "git show " + saved.work->str() + ":file"), "changed");
}

TEST_F(Save, NeedsNoIdentityAndMindsNoLineEndingRules) {
  make_source();
  write(root / "home/.gitconfig", "[user]\n useConfigOnly = true\n[core]\n autocrlf = input\n safecrlf = true\n");
  const Git git = ready_slot();
  write(slot_path() / "file", "a\r\nb\n");
  const Saved saved = save(git);
  ASSERT_TRUE(saved.work);
  EXPECT_EQ(sh(source_dir, "git log -1 --format='%an <%ae> %cn' " + saved.work->str()), "wtpool <wtpool@localhost> wtpool");
}

TEST_F(Save, HasTheBaseAsParentWhenHeadIsUnborn) {
  make_source();
  const Git git = ready_slot();
  sh(slot_path(), "git checkout -q --orphan nothing");
  write(slot_path() / "file", "changed\n");
  const Saved saved = save(git);
  ASSERT_TRUE(saved.work);
  EXPECT_EQ(id(saved.work->str() + "^1"), id("main"));
}

TEST_F(Save, ThrowsWhenAFileCannotBeRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  make_source();
  const Git git = ready_slot();
  write(slot_path() / "secret", "x");
  fs::permissions(slot_path() / "secret", fs::perms::none);
  EXPECT_EQ(kind_of([&] { (void)save(git); }), ErrorKind::git_failed);
}

TEST_F(Save, ThrowsWhenContentCannotBeStored) {
  make_source();
  const Git git = ready_slot();
  write(slot_path() / ".gitattributes", "*.utf16 working-tree-encoding=UTF-16\n");
  write(slot_path() / "x.utf16", "no byte order mark\n");
  EXPECT_EQ(kind_of([&] { (void)save(git); }), ErrorKind::git_failed);
}

TEST_F(Save, ThrowsWhenGitIsKilledWhileItSaves) {
  make_source();
  const Git git = ready_slot();
  write(slot_path() / "file", "changed\n");
  const TreeLook seen = look(git, Untracked::all, true);
  shim("case \"$*\" in *'update-index --add'*) kill -KILL $$;; esac\nexec git \"$@\"\n");
  EXPECT_EQ(kind_of([&] { (void)save_work(git, {"x", id("HEAD"), seen.changed, {}, 1000, 10, {}}); }), ErrorKind::git_failed);
  EXPECT_EQ(read(slot_path() / "file"), "changed\n");
}

TEST_F(Save, MovesWhatIsTooLargeAsideAndListsWhatWasDeleted) {
  make_source();
  sh(source_dir, "echo gone > gone && git add gone && git commit -qm gone");
  const Git git = ready_slot();
  write(slot_path() / "dir/inner", std::string(5000, 'x'));
  write(slot_path() / "new/untracked", "y");
  write(slot_path() / "deleted", "a file of that name\n");
  fs::remove(slot_path() / "gone");
  sh(slot_path(), "echo staged > file && git add file");
  const Saved saved = save(git, true, 4000);
  EXPECT_TRUE(saved.moved_aside);
  ASSERT_TRUE(saved.work);
  EXPECT_EQ(sh(source_dir, "git show " + saved.work->str() + "^2:file"), "staged");
  EXPECT_EQ(read(root / "trash/ID/dir/inner").size(), 5000u);
  EXPECT_EQ(read(root / "trash/ID/new/untracked"), "y");
  EXPECT_EQ(read(root / "trash/ID/deleted"), "a file of that name\n");
  EXPECT_EQ(read(root / "trash/ID/file"), "staged\n");
  EXPECT_EQ(read(root / "trash/ID.deleted"), std::string("gone\0", 5));
  EXPECT_FALSE(fs::exists(slot_path() / "dir/inner"));
}

TEST_F(Save, CountsFilesAsWellAsBytes) {
  make_source();
  const Git git = ready_slot();
  for (int i = 0; i < 5; ++i) write(slot_path() / ("f" + std::to_string(i)), "");
  EXPECT_FALSE(save(git, true, 100, 5).moved_aside);
  EXPECT_TRUE(save(git, true, 100, 4).moved_aside);
}

TEST_F(Save, MovingAsideNeverLeavesTheSlotNorOverwrites) {
  make_source();
  const Git git = ready_slot();
  write(root / "victim/x", "precious");
  fs::create_directory_symlink(root / "victim", slot_path() / "link");
  for (const char* path : {"../victim/x", "/etc/passwd", "", "a/../../victim/x", ".git", "link/x"}) {
    EXPECT_THROW(move_aside(slot_path(), {path}, root / "aside"), Error) << path;
  }
  EXPECT_EQ(read(root / "victim/x"), "precious");
  move_aside(slot_path(), {"link", "absent"}, root / "aside");
  EXPECT_TRUE(fs::is_symlink(fs::symlink_status(root / "aside/link")));
  write(slot_path() / "link", "second");
  move_aside(slot_path(), {"link"}, root / "aside");
  EXPECT_EQ(read(root / "aside/link.1"), "second");
}

TEST_F(Save, MovesAcrossFileSystems) {
  struct stat here {};
  struct stat there {};
  if (::stat("/dev/shm", &there) != 0 || ::stat(root.c_str(), &here) != 0 || here.st_dev == there.st_dev ||
      ::access("/dev/shm", W_OK) != 0) {
    GTEST_SKIP() << "there is no second file system to write to";
  }
  make_source();
  ready_slot();
  write(slot_path() / "d/x", "content");
  fs::permissions(slot_path() / "d/x", fs::perms::owner_all);
  fs::create_symlink("x", slot_path() / "d/l");
  char pattern[] = "/dev/shm/wtpool-XXXXXX";
  const fs::path aside = ::mkdtemp(pattern);
  move_aside(slot_path(), {"d"}, aside / "ID");
  EXPECT_EQ(read(aside / "ID/d/x"), "content");
  EXPECT_EQ(fs::status(aside / "ID/d/x").permissions(), fs::perms::owner_all);
  EXPECT_TRUE(fs::is_symlink(fs::symlink_status(aside / "ID/d/l")));
  EXPECT_FALSE(fs::exists(slot_path() / "d"));
  fs::remove_all(aside);
}

}  // namespace
}  // namespace wtpool::git
