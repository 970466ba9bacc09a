// From what a holder left, or goes on doing, to an idle tree: nothing of it is lost.
#include <signal.h>

#include <chrono>
#include <thread>

#include "tests/support/process.hpp"
#include "tests/unit/jobs/bench.hpp"

namespace wtpool::jobs {
namespace {

class Recycle : public Bench {
 protected:
  core::JobOutcome recycle(const core::Lease& lease, const std::string& trash_id = "20260101T000000Z-01234567") {
    return run(core::job::Recycle{lease, core::Dirty::save, trash_id});
  }
  core::done::Idle must_recycle(const core::Lease& lease) {
    return must<core::done::Idle>(core::job::Recycle{lease, core::Dirty::save, "20260101T000000Z-01234567"});
  }
  // Once, while a git that is called with `word` is about to run, `line` is run in the slot.
  void meanwhile(const std::string& word, const std::string& line) {
    write(root / "line", "cd '" + slot_path().string() + "' && " + line + "\n");
    const std::string once = (root / "done").string();
    shim("for a; do if [ \"$a\" = '" + word + "' ] && mkdir '" + once + "' 2>/dev/null; then sh '" + (root / "line").string() +
         "' >/dev/null 2>&1; fi; done\nexec git \"$@\"\n");
  }
  [[nodiscard]] bool has_run() const { return fs::exists(root / "done"); }
  // Is there a kept tree with this text in that file, or a file of the trash?
  [[nodiscard]] bool is_kept(const std::string& path, const std::string& text) const {
    for (const char* part : {"", "^3"}) {
      const std::string found = sh(source_dir, "for r in $(git for-each-ref --format='%(refname)' refs/wtpool); do git show \"$r" +
                                                   std::string(part) + ":" + path + "\" 2>/dev/null; echo; done");
      if (found.find(text) != std::string::npos) return true;
    }
    for (const auto& file : fs::recursive_directory_iterator(served->files.trash_dir())) {
      if (file.is_regular_file() && file.path().filename().string().starts_with(fs::path(path).filename().string()) &&
          read(file.path()).find(text) != std::string::npos)
        return true;
    }
    return false;
  }
  [[nodiscard]] bool is_kept(const std::string& commit) const {
    return !sh(source_dir, "git for-each-ref --contains " + commit + " refs/wtpool").empty();
  }
  [[nodiscard]] std::string status() const { return sh(slot_path(), "git status --porcelain"); }
  std::string lone_commit(const std::string& message) const {
    return sh(source_dir, "git commit-tree -p main -m '" + message + "' 'main^{tree}'");
  }
};

TEST_F(Recycle, WhatIsWrittenAfterItWasSavedIsSavedAsWell) {
  const auto lease = hold("x");
  write(slot_path() / "file", "early\n");
  meanwhile("pack-objects", "echo late > file");
  (void)must_recycle(lease);
  ASSERT_TRUE(has_run());
  EXPECT_TRUE(is_kept("file", "early"));
  EXPECT_TRUE(is_kept("file", "late"));
  EXPECT_EQ(read(slot_path() / "file"), "one\n");
  EXPECT_EQ(status(), "");
}

TEST_F(Recycle, WhatIsWrittenWhileTheIndexIsResetIsNotOverwritten) {
  const auto lease = hold("x");
  write(slot_path() / "file", "early\n");
  meanwhile("checkout-index", "echo late > file");
  (void)must_recycle(lease);
  ASSERT_TRUE(has_run());
  EXPECT_TRUE(is_kept("file", "early"));
  EXPECT_TRUE(is_kept("file", "late"));
  EXPECT_EQ(status(), "");
}

TEST_F(Recycle, OfCleanOnlyWhatWasSavedIsRemoved) {
  core::PoolConfig config;
  config.clean = core::Clean::untracked;
  serve(config);
  const auto lease = hold("x");
  write(slot_path() / "new/first", "early\n");
  fs::create_directories(slot_path() / "empty/below");
  meanwhile("pack-objects", "echo late > new/second && echo later > new/first");
  (void)must_recycle(lease);
  ASSERT_TRUE(has_run());
  EXPECT_TRUE(is_kept("new/first", "early"));
  EXPECT_TRUE(is_kept("new/first", "later"));
  EXPECT_TRUE(is_kept("new/second", "late"));
  EXPECT_EQ(status(), "");
  EXPECT_FALSE(fs::exists(slot_path() / "new"));
  EXPECT_FALSE(fs::exists(slot_path() / "empty"));
}

TEST_F(Recycle, ACommitThatIsMadeMeanwhileIsKept) {
  for (const char* at : {"pack-objects", "read-tree", "checkout-index"}) {
    const auto lease = hold("x");
    sh(slot_path(), "git checkout -q --detach && git branch -q -D x");
    write(slot_path() / "file", "early\n");
    meanwhile(at, "git -c user.name=A -c user.email=a@b commit -q --allow-empty -m meanwhile && git rev-parse HEAD >'" +
                      (root / "made").string() + "'");
    (void)must_recycle(lease);
    ASSERT_TRUE(has_run()) << at;
    const std::string made = read(root / "made").substr(0, 40);
    EXPECT_TRUE(is_kept(made)) << at;
    EXPECT_EQ(sh(slot_path(), "git rev-parse HEAD"), lease.full_sha.str()) << at;
    ::setenv("PATH", old_path.c_str(), 1);
    fs::remove_all(root / "done");
    sh(source_dir, "git worktree remove -f -f '" + slot_path().string() + "'");
  }
}

TEST_F(Recycle, CommitsThatOnlyGitsOwnStateNamesAreKept) {
  const auto lease = hold("x");
  std::vector<std::string> commits;
  const auto plant = [&](const std::string& file, const std::string& before = {}, const std::string& after = "\n") {
    commits.push_back(lone_commit(file));
    write(fs::path(entry()) / file, before + commits.back() + after);
  };
  for (const char* file : {"MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "ORIG_HEAD", "REBASE_HEAD", "BISECT_START",
                           "BISECT_EXPECTED_REV", "MY_OWN_HEAD", "rebase-merge/orig-head", "rebase-merge/stopped-sha",
                           "rebase-apply/orig-head", "rebase-apply/original-commit", "sequencer/head", "refs/bisect/bad",
                           "refs/worktree/mine", "refs/rewritten/label"})
    plant(file);
  plant("FETCH_HEAD", "", "\tnot-for-merge\tbranch 'x' of /elsewhere\n");
  plant("rebase-merge/git-rebase-todo", "pick ", " # a commit\n");
  (void)must_recycle(lease);
  for (std::size_t i = 0; i < commits.size(); ++i) {
    EXPECT_TRUE(is_kept(commits[i])) << sh(source_dir, "git log -1 --format=%s " + commits[i]);
  }
  EXPECT_FALSE(fs::exists(fs::path(entry()) / "MERGE_HEAD"));
  EXPECT_FALSE(fs::exists(fs::path(entry()) / "refs/worktree"));
}

TEST_F(Recycle, PatchesThatWereNotAppliedAreKept) {
  const auto lease = hold("x");
  sh(source_dir, "git checkout -q -b other && echo theirs >file && git commit -qam theirs && git format-patch -q -1 -o '" +
                     root.string() + "/patches' && git checkout -q main");
  write(slot_path() / "file", "mine\n");
  sh(slot_path(), "git commit -qam mine && git am -q '" + root.string() + "'/patches/*", true);
  ASSERT_TRUE(fs::exists(fs::path(entry()) / "rebase-apply/applying"));
  (void)must_recycle(lease);
  EXPECT_TRUE(is_kept("0001", "theirs"));
  EXPECT_FALSE(fs::exists(fs::path(entry()) / "rebase-apply"));
}

TEST_F(Recycle, ALivingGitsLockStaysAndTheSlotWaitsForIt) {
  const auto lease = hold("x");
  sh(slot_path(), "git checkout -q --detach && git branch -q -D x");
  write(slot_path() / "file", "in the editor\n");
  const pid_t child = ::fork();
  if (child == 0) {
    ::setpgid(0, 0);
    if (::chdir(slot_path().c_str()) != 0) ::_exit(1);
    ::setenv("GIT_EDITOR", "sleep 60; true", 1);
    ::execlp("git", "git", "commit", "-q", "-a", nullptr);
    ::_exit(1);
  }
  ::setpgid(child, child);
  const fs::path lock = fs::path(entry()) / "index.lock";
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!fs::exists(fs::path(entry()) / "COMMIT_EDITMSG") && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ASSERT_TRUE(fs::exists(lock));
  const auto outcome = recycle(lease);
  const auto* failed = std::get_if<core::JobFailed>(&outcome);
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->fault, core::Fault::host_fault) << failed->error.message;
  EXPECT_TRUE(fs::exists(lock));
  EXPECT_EQ(read(slot_path() / "file"), "in the editor\n");
  ::kill(-child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  (void)must_recycle(lease);
  EXPECT_FALSE(fs::exists(lock));
  EXPECT_TRUE(is_kept("file", "in the editor"));
}

TEST_F(Recycle, ACommitThatOnlyAnothersEntryHasIsKeptForThisOneToo) {
  auto lease = hold("x");
  const std::string at = lone_commit("of another entry");
  sh(source_dir, "git update-ref refs/wtpool/trash/20250101T000000Z-ffffffff/head " + at);
  sh(slot_path(), "git checkout -q --detach " + at + " && git branch -q -D x");
  lease.full_sha = Oid(at);
  lease.branch_base = lease.full_sha;
  (void)must_recycle(lease);
  sh(source_dir, "git update-ref -d refs/wtpool/trash/20250101T000000Z-ffffffff/head");
  EXPECT_TRUE(is_kept(at));
}

TEST_F(Recycle, TheSameChangesOfTwoHoldersAreTwoEntries) {
  auto lease = hold("x");
  write(slot_path() / "file", "the same\n");
  (void)must_recycle(lease);
  lease.id = LeaseId("fedcba9876543210fedcba9876543210");
  lease.name = "y";
  write(slot_path() / "file", "the same\n");
  const auto idle = must<core::done::Idle>(core::job::Recycle{lease, core::Dirty::save, "20260102T000000Z-fedcba98"});
  EXPECT_EQ(idle.kept, "20260102T000000Z-fedcba98");
  EXPECT_EQ(disk::read_trash_record(served->files.trash_record(*idle.kept))->name, "y");
}

}  // namespace
}  // namespace wtpool::jobs
