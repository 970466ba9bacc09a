// HEAD attached by the lock-file rule, and transactions in two halves: what git makes of them.
#include "daemon/git/files/head_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class Head : public GitRoom {
 protected:
  void SetUp() override {
    GitRoom::SetUp();
    make_source();
    ready_slot();
    at = id("HEAD");
  }
  std::optional<HeadLock> take(const std::string& branch = "feature") const { return HeadLock::take(entry(), at, branch); }
  fs::path head() const { return entry() + "/HEAD"; }
  fs::path lock() const { return entry() + "/HEAD.lock"; }
  void attach(const std::string& branch) {
    sh(source_dir, "git branch " + branch + " " + at.str());
    auto taken = take(branch);
    ASSERT_TRUE(taken);
    taken->commit(at);
  }
  Context helped() const {
    Context context;
    context.helpers = make_helpers(common);
    return context;
  }
  Oid at;
};

TEST_F(Head, IsAttachedAsGitWouldHaveIt) {
  attach("feature");
  EXPECT_EQ(read(head()), "ref: refs/heads/feature\n");
  EXPECT_FALSE(fs::exists(lock()));
  EXPECT_EQ(sh(slot_path(), "git symbolic-ref HEAD"), "refs/heads/feature");
  EXPECT_EQ(sh(slot_path(), "git status --porcelain"), "");
  EXPECT_EQ(sh(slot_path(), "git branch --show-current"), "feature");
  sh(source_dir, "git fsck --no-dangling --no-progress");
}

TEST_F(Head, TellsItsReflogWhatGitWouldTell) {
  sh(slot_path(), "git switch -q -c by-hand && git switch -q --detach " + at.str());
  const auto by_git = sh(slot_path(), "git reflog -2");
  attach("feature");
  EXPECT_EQ(sh(slot_path(), "git reflog -1 --format='%H %gs'"),
            at.str() + " checkout: moving from " + at.str() + " to feature");
  // What was there before is still there, one step further back, and `@{-1}` reads it as git's own lines.
  EXPECT_NE(by_git.find("moving from by-hand to"), std::string::npos);
  EXPECT_NE(sh(slot_path(), "git reflog").find("moving from by-hand to " + at.str()), std::string::npos);
  EXPECT_EQ(sh(slot_path(), "git rev-parse '@{-1}'"), at.str());
  sh(slot_path(), "echo more >> file && git commit -qam more");
  EXPECT_EQ(sh(slot_path(), "git rev-parse 'HEAD@{1}'"), at.str());
}

TEST_F(Head, ReflogKeepsALineThatWasCutApartFromItsOwn) {
  const fs::path log = entry() + "/logs/HEAD";
  write(log, read(log) + at.str() + " " + at.str() + " A <a@example.org> 1795242248 +00");
  attach("feature");
  EXPECT_NE(read(log).find("+00\n" + at.str()), std::string::npos);
  EXPECT_EQ(sh(slot_path(), "git reflog -1 --format=%gs"), "checkout: moving from " + at.str() + " to feature");
}

TEST_F(Head, IsLeftToGitWhileSomebodyHasTheLock) {
  const std::string before = read(head());
  write(lock(), "");
  EXPECT_FALSE(take());
  EXPECT_TRUE(fs::exists(lock())) << "a lock of somebody else was taken away";
  const struct timespec old[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, lock().c_str(), old, 0), 0);
  EXPECT_FALSE(take());
  EXPECT_TRUE(fs::exists(lock()));
  fs::remove(lock());
  fs::create_symlink(root / "elsewhere", lock());
  EXPECT_FALSE(take());
  EXPECT_TRUE(fs::is_symlink(lock()));
  EXPECT_FALSE(fs::exists(root / "elsewhere"));
  fs::remove(lock());
  fs::create_directory(lock());
  EXPECT_FALSE(take());
  EXPECT_EQ(read(head()), before);
}

TEST_F(Head, KeepsGitOutWhileItIsLocked) {
  {
    const auto taken = take();
    ASSERT_TRUE(taken);
    sh(source_dir, "git branch other");
    EXPECT_EQ(sh(slot_path(), "git symbolic-ref HEAD refs/heads/other && echo moved", true), "");
    EXPECT_EQ(read(head()), at.str() + "\n");
  }
  EXPECT_FALSE(fs::exists(lock()));
  EXPECT_EQ(sh(slot_path(), "git symbolic-ref HEAD refs/heads/other && echo moved"), "moved");
}

TEST_F(Head, IsLeftToGitWhereItIsNotAPlainDetachedHead) {
  EXPECT_FALSE(HeadLock::take(entry(), Oid(std::string(40, '1')), "feature")) << "it stands elsewhere";
  sh(slot_path(), "git switch -q -c by-hand");
  EXPECT_FALSE(take()) << "it is attached";
  EXPECT_EQ(read(head()), "ref: refs/heads/by-hand\n");
  fs::remove(head());
  fs::create_symlink("refs/heads/by-hand", head());
  EXPECT_FALSE(take()) << "it is a symlink, as very old gits make them";
  fs::remove(head());
  EXPECT_FALSE(take()) << "there is none";
  EXPECT_FALSE(fs::exists(lock()));
}

TEST_F(Head, IsLeftToGitWhereRefsAreNoFiles) {
  fs::create_directories(entry() + "/reftable");
  EXPECT_FALSE(take());
  fs::remove(entry() + "/reftable");
  fs::create_directories(common + "/reftable");
  EXPECT_FALSE(take());
  EXPECT_FALSE(fs::exists(lock()));
}

TEST_F(Head, IsLeftToGitWhereNoReflogIsKept) {
  fs::remove(entry() + "/logs/HEAD");
  EXPECT_FALSE(take());
  fs::create_symlink(root / "elsewhere", entry() + "/logs/HEAD");
  EXPECT_FALSE(take());
  EXPECT_FALSE(fs::exists(root / "elsewhere"));
}

TEST_F(Head, KeepsTheModeThatTheRepositoryGaveIt) {
  ASSERT_EQ(::chmod(head().c_str(), 0664), 0);
  attach("feature");
  struct ::stat status {};
  ASSERT_EQ(::stat(head().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0664u);
}

TEST_F(Head, TransactionInTwoHalvesMovesNothingBeforeTheSecond) {
  const Git git = source(helped());
  RefTransaction transaction;
  transaction.create("refs/heads/feature", at);
  auto begun = transaction.begin(git);
  ASSERT_TRUE(begun.move);
  EXPECT_FALSE(fs::exists(common + "/refs/heads/feature"));
  EXPECT_TRUE(RefTransaction::finish(git, std::move(begun)));
  EXPECT_EQ(id("feature"), at);
  // Refused: it exists now, or it would stand below a branch.
  for (const char* name : {"refs/heads/feature", "refs/heads/feature/below"}) {
    RefTransaction again;
    again.create(name, at);
    EXPECT_FALSE(RefTransaction::finish(git, again.begin(git))) << name;
  }
  EXPECT_FALSE(RefTransaction::finish(source(), transaction.begin(source()))) << "there is no helper";
}

TEST_F(Head, TransactionThatIsGivenUpLeavesNothingAndTheNextOneWorks) {
  const Git git = source(helped());
  {
    RefTransaction transaction;
    transaction.create("refs/heads/feature", at);
    const auto begun = transaction.begin(git);
    ASSERT_TRUE(begun.move);
  }
  EXPECT_FALSE(fs::exists(common + "/refs/heads/feature"));
  EXPECT_FALSE(fs::exists(common + "/refs/heads/feature.lock"));
  RefTransaction next;
  next.create("refs/heads/feature", at);
  EXPECT_TRUE(RefTransaction::finish(git, next.begin(git)));
}

}  // namespace
}  // namespace wtpool::git
