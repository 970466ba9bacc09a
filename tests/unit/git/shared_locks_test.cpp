// Locks that killed gits leave in the source: which are whose, when they go, and that the record of them outlives a daemon.
#include "daemon/git/process/stale_locks.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "common/base/clock.hpp"
#include "common/platform/open_files.hpp"
#include "common/process/run_child.hpp"
#include "daemon/git/process/lock_holders.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class SharedLocks : public GitRoom {
 protected:
  void SetUp() override {
    GitRoom::SetUp();
    make_source();
  }
  void TearDown() override {
    forget_killed(common, wall_now() + 1000);
    GitRoom::TearDown();
  }
  void plant(const fs::path& lock, std::int64_t age, const std::string& text = "") const {
    write(lock, text);
    const struct timespec then[2] = {{wall_now() - age, 0}, {wall_now() - age, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, lock.c_str(), then, AT_SYMLINK_NOFOLLOW), 0);
  }
  void killed(std::int64_t from_ago, std::int64_t to_ago) const {
    remember_killed(common, wall_now() - from_ago, wall_now() - to_ago);
  }
  fs::path packed() const { return fs::path(common) / "packed-refs.lock"; }
  fs::path branch() const { return fs::path(common) / "refs/heads/x.lock"; }
};

TEST_F(SharedLocks, OfAKilledGitOfOursAreRemovedWhenTheyAreOldEnough) {
  killed(40, 20);
  for (const auto& text : {"", "half a li"}) {
    plant(packed(), 30, text);
    plant(branch(), 25, text);
    EXPECT_EQ(heal_shared_locks(common).removed.size(), 2u);
    EXPECT_FALSE(fs::exists(packed()));
    EXPECT_FALSE(fs::exists(branch()));
    EXPECT_TRUE(heal_shared_locks(common).removed.empty());
  }
}

TEST_F(SharedLocks, TheNextOneOfTheNameStaysWhenTwoTakeTheOldOneAway) {
  killed(40, 20);
  std::atomic<bool> over = false;
  std::atomic<int> looked[2] = {0, 0};
  std::vector<std::thread> healers;
  for (auto& count : looked) {
    healers.emplace_back([&] {
      for (; !over; ++count) (void)heal_shared_locks(common);
    });
  }
  // Both have looked from the beginning to the end since now.
  const auto both_looked = [&] {
    for (auto& count : looked) {
      const int before = count;
      while (count < before + 2) std::this_thread::yield();
    }
  };
  for (int time = 0; time < 40; ++time) {
    // Of its age from the first: what is seen in between would be somebody's.
    plant(fs::path(common) / "planted", 30);
    fs::rename(fs::path(common) / "planted", branch());
    while (fs::exists(branch())) std::this_thread::yield();
    write(branch(), "");
    both_looked();
    EXPECT_TRUE(fs::exists(branch())) << "a live git's lock was taken away, time " << time;
    fs::remove(branch());
  }
  over = true;
  for (auto& healer : healers) healer.join();
}

TEST_F(SharedLocks, ThatNoGitOfOursCanHaveMadeStay) {
  plant(packed(), 30);
  EXPECT_TRUE(heal_shared_locks(common).removed.empty()) << "none was killed";
  killed(20, 15);
  EXPECT_TRUE(heal_shared_locks(common).removed.empty()) << "it is older than the one that was";
  plant(packed(), 12);
  EXPECT_TRUE(heal_shared_locks(common).removed.empty()) << "it is younger";
  EXPECT_FALSE(shared_locks(common).at(0).ours);
  EXPECT_TRUE(fs::exists(packed()));
}

TEST_F(SharedLocks, OfSomebodyElseAreNamedWithTheCommandThatKnowsMore) {
  plant(branch(), 30);
  RefTransaction transaction;
  transaction.create("refs/heads/x", id("HEAD"));
  try {
    transaction.commit(source());
    FAIL() << "the lock is somebody's";
  } catch (const proto::Error& error) {
    EXPECT_NE(error.message.find("x.lock"), std::string::npos) << error.message;
    EXPECT_EQ(error.hint, "wtpool doctor");
  }
  EXPECT_TRUE(fs::exists(branch()));
}

// A lock that looks like a killed git's is given back by the living one that has it: whoever hurried on its account comes
// again.
TEST_F(SharedLocks, GivenBackWhileTheyAreYoungHinderNobody) {
  killed(40, 0);
  plant(branch(), 0);
  std::atomic<bool> tried = false;
  std::thread holder([&] {
    const Fd open(::open(branch().c_str(), O_RDONLY | O_CLOEXEC));
    for (int i = 0; i < 2000 && !tried; ++i) ::usleep(10'000);
    fs::remove(branch());
  });
  EXPECT_TRUE(heal_shared_locks(common).young);
  EXPECT_TRUE(heal_after_killed(common, [&] {
    tried = true;
    return false;
  }));
  holder.join();
}

TEST_F(SharedLocks, GivenBackBeforeTheyAreLookedAtAgainHinderNobody) {
  killed(40, 0);
  plant(branch(), 0);
  // The first git fails on the lock, which is gone when it has ended.
  shim("git \"$@\" || { code=$?; rm -f '" + branch().string() + "'; exit $code; }\n");
  RefTransaction transaction;
  transaction.create("refs/heads/x", id("HEAD"));
  EXPECT_NO_THROW(transaction.commit(source()));
  EXPECT_EQ(id("x"), id("HEAD"));
}

TEST_F(SharedLocks, ThatSomebodyHasOpenStay) {
  killed(40, 20);
  plant(packed(), 30);
  {
    const Fd open(::open(packed().c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(heal_shared_locks(common).removed.empty());
    EXPECT_EQ(shared_locks(common).at(0).held_by, std::vector<std::int64_t>{::getpid()});
  }
  EXPECT_EQ(heal_shared_locks(common).removed.size(), 1u);
}

// git closes a lock of a ref as soon as it has written it, and holds it until its transaction ends.
TEST_F(SharedLocks, OfALivingGitStayThoughNobodyHasThemOpen) {
  sh(source_dir, "git branch doomed && git pack-refs --all");
  const std::string tip = id("doomed").str();
  SpawnOptions options;
  options.argv = {"git", "--git-dir=" + common, "update-ref", "--stdin"};
  options.environment = {"PATH=/usr/bin:/bin:/usr/local/bin:/opt/homebrew/bin"};
  options.directory = "/";
  auto git = LineChild::start(options);
  ASSERT_TRUE(git->write("start\ndelete refs/heads/doomed " + tip + "\nprepare\n"));
  ASSERT_EQ(git->read_line(std::chrono::seconds(20)), "start: ok");
  ASSERT_EQ(git->read_line(std::chrono::seconds(20)), "prepare: ok");
  ASSERT_TRUE(fs::exists(packed()));
  const auto locks = shared_locks(common);
  ASSERT_FALSE(locks.empty());
  for (const auto& lock : locks) {
    EXPECT_EQ(openers_of(lock.file), std::vector<std::int64_t>{}) << lock.file;
    EXPECT_EQ(lock.held_by, std::vector<std::int64_t>{git->pid()}) << lock.file;
    EXPECT_FALSE(lock.nobodys());
  }
  EXPECT_EQ(holders_of(packed(), wall_now() - 20, common), std::vector<std::int64_t>{}) << "it was not there then";
  killed(40, 0);
  EXPECT_TRUE(heal_shared_locks(common).removed.empty());
  EXPECT_TRUE(heal_shared_locks(common).young) << "it will not live for long";
  ASSERT_TRUE(git->write("commit\n"));
  EXPECT_EQ(git->read_line(std::chrono::seconds(20)), "commit: ok");
  EXPECT_EQ(sh(source_dir, "git branch --list doomed"), "");
}

// So does one of this boot that a living git has, when the clock was set forward since.
TEST_F(SharedLocks, FromBeforeTheMachineWasStartedStayWhereAGitIsAtWork) {
  SpawnOptions options;
  options.argv = {"git", "--git-dir=" + common, "update-ref", "--stdin"};
  options.environment = {"PATH=/usr/bin:/bin:/usr/local/bin:/opt/homebrew/bin"};
  options.directory = "/";
  auto git = LineChild::start(options);
  ASSERT_TRUE(git->write("start\n"));
  ASSERT_EQ(git->read_line(std::chrono::seconds(20)), "start: ok");
  plant(branch(), wall_now() - booted_at() + 100);
  heal_locks_of_past_boots(common);
  EXPECT_TRUE(fs::exists(branch()));
  git.reset();
  heal_locks_of_past_boots(common);
  EXPECT_FALSE(fs::exists(branch()));
}

// It is there all the time: nothing would ever be healed beside it.
TEST_F(SharedLocks, AreNotHeldByAHelperThatIsIdle) {
  Context context;
  context.helpers = make_helpers(common);
  RefTransaction transaction;
  transaction.create("refs/heads/new", id("HEAD"));
  transaction.commit(source(context));
  plant(packed(), 0);
  EXPECT_EQ(holders_of(packed(), wall_now() + 100, common), std::vector<std::int64_t>{});
}

TEST_F(SharedLocks, AreNotHeldByGitsThatOnlyRead) {
  EXPECT_FALSE(may_hold_locks({"git", "-C", "/gc", "log"}));
  EXPECT_FALSE(may_hold_locks({"/usr/lib/git-core/git", "--git-dir", "/x", "-c", "a=b", "cat-file", "--batch"}));
  EXPECT_TRUE(may_hold_locks({"git", "-C", "/log", "gc"}));
  EXPECT_TRUE(may_hold_locks({"git", "--git-dir=/x", "update-ref", "--stdin"}));
  EXPECT_TRUE(may_hold_locks({"git"}));
  EXPECT_TRUE(may_hold_locks({}));
}

TEST_F(SharedLocks, ThatAreNoRegularFilesStay) {
  killed(40, 0);
  fs::create_symlink(root / "home/.gitconfig", packed());
  fs::create_directories(branch());
  EXPECT_TRUE(heal_shared_locks(common).removed.empty());
  EXPECT_FALSE(heal_shared_locks(common).young);
  EXPECT_TRUE(fs::is_symlink(packed()));
  EXPECT_TRUE(fs::is_directory(branch()));
  EXPECT_TRUE(fs::exists(root / "home/.gitconfig"));
}

TEST_F(SharedLocks, AreWaitedForWhileTheyAreYoungAndNotLonger) {
  killed(10, 0);
  plant(branch(), 8);
  EXPECT_TRUE(heal_shared_locks(common).young);
  EXPECT_FALSE(heal_after_killed(common, [] { return true; })) << "who is told to stop does not wait";
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(heal_after_killed(common, [] { return false; }));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
  EXPECT_FALSE(fs::exists(branch()));
}

TEST_F(SharedLocks, HalfAPackedRefsFileGoesToo) {
  killed(40, 20);
  sh(source_dir, "git branch doomed && git pack-refs --all");
  plant(fs::path(common) / "packed-refs.new", 30, "half");
  RefTransaction transaction;
  transaction.remove("refs/heads/doomed", id("HEAD"));
  transaction.commit(source());
  EXPECT_EQ(sh(source_dir, "git branch --list doomed"), "");
}

TEST_F(SharedLocks, AYoungOneDelaysATransactionByNoMoreThanItsYouth) {
  killed(10, 0);
  sh(source_dir, "git branch doomed && git pack-refs --all");
  plant(packed(), 7);
  Context context;
  context.helpers = make_helpers(common);
  RefTransaction transaction;
  transaction.remove("refs/heads/doomed", id("HEAD"));
  const auto begin = std::chrono::steady_clock::now();
  transaction.commit(source(context));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(6));
  EXPECT_EQ(sh(source_dir, "git branch --list doomed"), "");
}

TEST_F(SharedLocks, OthersAreNotDelayedByAYoungOne) {
  killed(5, 0);
  plant(branch(), 1);
  RefTransaction transaction;
  transaction.create("refs/heads/other", id("HEAD"));
  const auto begin = std::chrono::steady_clock::now();
  transaction.commit(source());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  EXPECT_TRUE(fs::exists(branch()));
}

class KilledRecord : public SharedLocks {
 protected:
  fs::path file() const { return root / "state/killed"; }
};

TEST_F(KilledRecord, IsReadByTheNextDaemon) {
  write(file(), "12 34 /somewhere with blanks/.git\nnonsense\n5 4 /backwards\n1 2 relative\n");
  keep_killed_record(file());
  const auto lives = killed_in("/somewhere with blanks/.git");
  ASSERT_EQ(lives.size(), 1u);
  EXPECT_EQ(lives[0].from, 12);
  EXPECT_EQ(lives[0].to, 34);
  EXPECT_TRUE(killed_in("/backwards").empty());
  EXPECT_TRUE(killed_in("relative").empty());
  remember_killed(common, 100, 200);
  remember_killed(common, 100, 210);
  EXPECT_EQ(read(file()), "12 34 /somewhere with blanks/.git\n100 210 " + common + "\n");
  forget_killed(common, 211);
  EXPECT_EQ(read(file()), "12 34 /somewhere with blanks/.git\n");
  forget_killed("/somewhere with blanks/.git", 1000);
  EXPECT_FALSE(fs::exists(file()));
  keep_killed_record({});
}

TEST_F(KilledRecord, StaysSmall) {
  for (int killing = 0; killing < 1000; ++killing) remember_killed("/many", killing, killing);
  EXPECT_EQ(killed_in("/many").size(), 64u);
  EXPECT_EQ(killed_in("/many").back().from, 999);
  forget_killed("/many", 2000);
}

}  // namespace
}  // namespace wtpool::git
