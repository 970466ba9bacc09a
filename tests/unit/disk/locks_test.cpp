#include "daemon/disk/locks.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "common/process/run_child.hpp"
#include "tests/unit/common/scratch.hpp"

namespace wtpool::disk {
namespace {

using testing::put;
using testing::Scratch;
using namespace std::chrono_literals;

SpawnOptions shell(const std::string& script) {
  SpawnOptions options;
  options.argv = {"sh", "-c", script};
  options.environment = {"PATH=/usr/bin:/bin"};
  return options;
}

bool becomes_free(const path& file) {
  for (const auto until = std::chrono::steady_clock::now() + 20s; std::chrono::steady_clock::now() < until;) {
    if (!FileLock::is_held(file)) return true;
    std::this_thread::yield();
  }
  return false;
}

TEST(FileLock, HasOneHolder) {
  const Scratch scratch;
  EXPECT_FALSE(FileLock::is_held(scratch / "lock"));
  auto lock = FileLock::try_take(scratch / "lock");
  ASSERT_TRUE(lock);
  EXPECT_TRUE(FileLock::is_held(scratch / "lock"));
  EXPECT_FALSE(FileLock::try_take(scratch / "lock"));
  EXPECT_EQ(lstat_of(scratch / "lock")->st_mode & 0777, 0600u);
  lock.reset();
  EXPECT_FALSE(FileLock::is_held(scratch / "lock"));
  EXPECT_TRUE(FileLock::try_take(scratch / "lock"));
}

// A child has every descriptor of its parent until its exec, that of a lock given back since included.
TEST(FileLock, IsHadAgainThoughChildrenAreBeingStarted) {
  const Scratch scratch;
  std::atomic<bool> enough{false};
  std::vector<std::thread> starters;
  for (int number = 0; number < 16; ++number) {
    starters.emplace_back([&enough] {
      while (!enough) EXPECT_TRUE(run_child(shell(":")).ok());
    });
  }
  int missed = 0;
  for (const auto until = std::chrono::steady_clock::now() + 1s; std::chrono::steady_clock::now() < until;) {
    if (!FileLock::try_take(scratch / "lock")) ++missed;
  }
  enough = true;
  for (auto& starter : starters) starter.join();
  EXPECT_EQ(missed, 0);
}

TEST(FileLock, IsTakenThoughManyLookWhetherItIsHeld) {
  const Scratch scratch;
  ASSERT_TRUE(FileLock::try_take(scratch / "lock"));
  std::atomic<bool> enough{false};
  std::thread watcher([&] {
    while (!enough) {
      (void)FileLock::is_held(scratch / "lock");
      std::this_thread::yield();
    }
  });
  int taken = 0;
  for (int i = 0; i < 200; ++i) taken += FileLock::try_take(scratch / "lock").has_value();
  enough = true;
  watcher.join();
  EXPECT_EQ(taken, 200);
}

TEST(FileLock, RefusesWhatIsNoPlainFile) {
  const Scratch scratch;
  put(scratch / "target", "");
  std::filesystem::create_symlink(scratch / "target", scratch / "link");
  ASSERT_EQ(::mkfifo((scratch / "fifo").c_str(), 0600), 0);
  EXPECT_THROW((void)FileLock::try_take(scratch / "link"), proto::Error);
  EXPECT_THROW((void)FileLock::try_take(scratch / "fifo"), proto::Error);
  EXPECT_THROW((void)FileLock::try_take(scratch.path), proto::Error);
  EXPECT_THROW((void)FileLock::try_take(scratch / "absent/lock"), proto::Error);
}

TEST(FileLock, KeepsItsTextExactly) {
  const Scratch scratch;
  const auto lock = FileLock::try_take(scratch / "lock");
  lock->set_text("a long text\n");
  lock->set_text("short\n");
  EXPECT_EQ(FileLock::text_of(scratch / "lock"), "short\n");
  lock->set_text("");
  EXPECT_EQ(FileLock::text_of(scratch / "lock"), "");
  EXPECT_EQ(FileLock::text_of(scratch / "absent"), "");
}

TEST(SlotLock, StaysTakenWhileAChildThatInheritedItRuns) {
  const Scratch scratch;
  const PoolFiles files(scratch.path);
  const SlotId slot("slot-0");
  std::filesystem::create_directories(files.meta());
  auto lock = SlotLock::try_take(files, slot);
  ASSERT_TRUE(lock);

  auto options = shell("echo up; read -r line");
  options.inherited = {lock->descriptor()};
  auto child = LineChild::start(options);
  ASSERT_EQ(child->read_line(20s), "up");
  lock->record_child(child->pid());
  lock.reset();
  EXPECT_TRUE(FileLock::is_held(files.slot_lock(slot)));
  EXPECT_FALSE(SlotLock::try_take(files, slot));
  const auto recorded = SlotLock::recorded_child(files, slot);
  ASSERT_TRUE(recorded);
  EXPECT_EQ(recorded->pid, child->pid());

  child.reset();
  EXPECT_TRUE(becomes_free(files.slot_lock(slot)));
  EXPECT_FALSE(SlotLock::recorded_child(files, slot)) << "it has ended";
}

TEST(SlotLock, IsNotInheritedByAChildThatWasNotGivenIt) {
  const Scratch scratch;
  const PoolFiles files(scratch.path);
  std::filesystem::create_directories(files.meta());
  auto lock = SlotLock::try_take(files, SlotId("slot-0"));
  auto child = LineChild::start(shell("echo up; read -r line"));
  ASSERT_EQ(child->read_line(20s), "up");
  lock.reset();
  EXPECT_TRUE(SlotLock::try_take(files, SlotId("slot-0")));
}

TEST(SlotLock, OutlivesAHolderThatWasKilled) {
  const Scratch scratch;
  const path file = scratch / "lock";
  put(file, "");
  // The holder takes the lock, leaves it to a grandchild and is killed; the grandchild ends when its stdin does.
  int ends[2];
  ASSERT_EQ(::pipe2(ends, 0), 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    ::close(ends[1]);
    const int fd = ::open(file.c_str(), O_RDWR);
    if (fd < 0 || ::flock(fd, LOCK_EX) != 0) ::_exit(1);
    if (::fork() == 0) {
      ::dup2(ends[0], STDIN_FILENO);
      ::execl("/bin/cat", "cat", nullptr);
      ::_exit(1);
    }
    ::kill(::getpid(), SIGKILL);
  }
  ::close(ends[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(holder, &status, 0), holder);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(FileLock::is_held(file));
  ::close(ends[1]);
  EXPECT_TRUE(becomes_free(file));
}

TEST(SlotLock, BelievesNoRecordThatIsBroken) {
  const Scratch scratch;
  const PoolFiles files(scratch.path);
  const SlotId slot("slot-0");
  std::filesystem::create_directories(files.init_dir());
  const auto self = platform::stamp_of(::getpid());
  const std::string whole = std::to_string(self->pid) + " " + std::to_string(self->start) + " " + self->boot_id + "\n";
  put(files.slot_lock(slot), whole);
  EXPECT_EQ(SlotLock::recorded_child(files, slot), self);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    put(files.slot_lock(slot), whole.substr(0, length));
    EXPECT_FALSE(SlotLock::recorded_child(files, slot)) << length;
  }
  for (const std::string text : {"-1 0 x\n", "x\n", "1\n", "99999999999999999999 1 x\n"}) {
    put(files.slot_lock(slot), text);
    EXPECT_FALSE(SlotLock::recorded_child(files, slot)) << text;
  }
}

TEST(SlotLock, MakesNoPoolThatIsNotThere) {
  const Scratch scratch;
  EXPECT_THROW((void)SlotLock::try_take(PoolFiles(scratch / "gone"), SlotId("slot-0")), proto::Error);
  EXPECT_FALSE(lstat_of(scratch / "gone"));
}

TEST(SlotIds, ArePartsAndBackAgain) {
  EXPECT_EQ(slot_id(std::nullopt, 3).str(), "slot-3");
  EXPECT_EQ(slot_id("ios", 0).str(), "ios-0");
  EXPECT_EQ(parse_slot_id("slot-12")->number, 12);
  EXPECT_FALSE(parse_slot_id("slot-12")->group);
  EXPECT_EQ(parse_slot_id("my-app-7")->group, "my-app");
  for (const char* const text :
       {"", "slot", "slot-", "-1", "slot-01", "slot--1", "ios-1-2", "slot-1x", "slot-99999999999", ".meta", "../x-1", "a/b-1"})
    EXPECT_FALSE(parse_slot_id(text).has_value()) << text;
}

}  // namespace
}  // namespace wtpool::disk
