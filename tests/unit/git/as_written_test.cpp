#include "daemon/git/tree/as_written.hpp"

#include "daemon/git/process/writing_rules.hpp"
#include "daemon/git/source/add_worktree.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class AsWritten : public GitRoom {
 protected:
  // A file whose blob has line ends that its attribute `text` takes away: git calls it changed after any checkout.
  void make_disagreeing_source() {
    make_source();
    write(source_dir / "w.txt", "l1\r\nl2\r\n");
    sh(source_dir, "git add -A && git commit -qm crlf");
    write(source_dir / ".gitattributes", "*.txt text\n");
    sh(source_dir, "git add .gitattributes && git commit -qm attributes");
  }
  void touch(const std::string& file) {
    fs::last_write_time(slot_path() / file, fs::file_time_type::clock::now() + std::chrono::seconds(5));
  }
};

TEST_F(AsWritten, AFileThatNobodyEditedIsCleanWhateverGitSaysOfIt) {
  make_disagreeing_source();
  const Git git = ready_slot();
  touch("w.txt");
  ASSERT_NE(sh(slot_path(), "git status --porcelain"), "") << "git agrees, and nothing is tried here";
  EXPECT_TRUE(look(git, Untracked::all, true).changed.empty());
  write(slot_path() / "w.txt", "l1\r\nl2\r\nmine\r\n");
  EXPECT_EQ(look(git, Untracked::all, true).changed, std::vector<std::string>{"w.txt"});
  write(slot_path() / "w.txt", "l1\nl2\n");  // not what git writes, though git takes it for much the same
  EXPECT_EQ(look(git, Untracked::all, true).changed, std::vector<std::string>{"w.txt"});
}

TEST_F(AsWritten, AFileThatNobodyEditedIsInNobodysWay) {
  make_disagreeing_source();
  write(source_dir / "w.txt", "other\r\n");
  sh(source_dir, "git -c core.autocrlf=false commit -qam other --allow-empty");
  const Git git = ready_slot();
  reset_hard(git, id("HEAD~1"));
  touch("w.txt");
  switch_to_new(git, "feature", id("HEAD"));
  EXPECT_EQ(sh(slot_path(), "git rev-parse HEAD"), id("HEAD").str());
  EXPECT_TRUE(look(git, Untracked::all, true).changed.empty());
}

TEST_F(AsWritten, FilesAreWrittenAgainWhereTheirAttributesChangedAndTheirBlobsDidNot) {
  make_source();
  write(source_dir / "t.html", "l1\nl2\n");
  write(source_dir / "deep/u.html", "l1\nl2\n");
  write(source_dir / ".gitattributes", "*.html text eol=crlf\n");
  sh(source_dir, "git add -A && git commit -qm 1");
  write(source_dir / ".gitattributes", "*.html text eol=lf\n");
  sh(source_dir, "git commit -qam 2");
  write(source_dir / "deep/.gitattributes", "*.html text eol=crlf\n");
  sh(source_dir, "git add -A && git commit -qm 3");
  const Git git = ready_slot();
  reset_hard(git, id("HEAD~2"));
  EXPECT_EQ(read(slot_path() / "t.html"), "l1\r\nl2\r\n");
  switch_to_new(git, "feature", id("HEAD~1"));
  EXPECT_EQ(read(slot_path() / "t.html"), "l1\nl2\n");
  EXPECT_EQ(read(slot_path() / "deep/u.html"), "l1\nl2\n");
  reset_hard(git, id("HEAD"));
  EXPECT_EQ(read(slot_path() / "t.html"), "l1\nl2\n");
  EXPECT_EQ(read(slot_path() / "deep/u.html"), "l1\r\nl2\r\n");
  ASSERT_TRUE(bring_tree(git, id("HEAD"), id("HEAD~2")));
  EXPECT_EQ(read(slot_path() / "t.html"), "l1\r\nl2\r\n");
  EXPECT_EQ(sh(slot_path(), "git diff --stat HEAD~2"), "");
}

TEST_F(AsWritten, ConfigurationThatDecidesBytesIsTold) {
  make_source();
  write(source_dir / "t.txt", "l1\nl2\n");
  write(source_dir / ".gitattributes", "*.txt text\n");
  sh(source_dir, "git add -A && git commit -qm 1");
  const Git git = ready_slot();
  std::string before = writing_rules(source());
  EXPECT_EQ(writing_rules(source()), before);
  for (const std::string change : {"git config core.eol crlf", "git config core.autocrlf true",
                                   "echo '*.txt eol=crlf' > .git/info/attributes", "git config core.symlinks false"}) {
    sh(source_dir, change);
    const std::string now = writing_rules(source());
    EXPECT_NE(now, before) << change;
    before = now;
  }
  EXPECT_EQ(write_all_again(git), 4U);
  EXPECT_EQ(read(slot_path() / "t.txt"), "l1\r\nl2\r\n");
  EXPECT_EQ(write_all_again(git), 0U);
}

TEST_F(AsWritten, ASymlinkAndTheBitOfAProgramAreComparedToo) {
  make_source();
  write(source_dir / "run", "#!/bin/sh\n");
  fs::permissions(source_dir / "run", fs::perms::owner_exec, fs::perm_options::add);
  fs::create_symlink("file", source_dir / "link");
  sh(source_dir, "git add -A && git commit -qm 1");
  const Git git = ready_slot();
  EXPECT_TRUE(not_as_written(git, {"run", "link", "file", "dir/inner"}).empty());
  fs::permissions(slot_path() / "run", fs::perms::owner_exec, fs::perm_options::remove);
  fs::remove(slot_path() / "link");
  fs::create_symlink("elsewhere", slot_path() / "link");
  fs::remove_all(slot_path() / "dir");
  EXPECT_EQ(not_as_written(git, {"run", "link", "file", "dir/inner"}), (std::vector<std::string>{"run", "link", "dir/inner"}));
}

}  // namespace
}  // namespace wtpool::git
