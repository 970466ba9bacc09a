#include "common/platform/tree_watch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "common/files/files.hpp"
#include "common/platform/poll_set.hpp"
#include "common/platform/writers.hpp"
#include "tests/unit/common/scratch.hpp"

namespace wtpool::platform {
namespace {

namespace fs = std::filesystem;
using Kind = TreeWatch::Kind;
using testing::put;
using testing::Scratch;

void read_once(const fs::path& file) { ::close(::open(file.c_str(), O_RDONLY | O_CLOEXEC)); }

std::vector<std::string> told(TreeWatch& watch, int directory) {
  std::vector<std::string> lines;
  for (const auto& event : watch.drain()) {
    lines.push_back((event.directory == directory ? "" : "elsewhere ") +
                    std::string(event.kind == Kind::opened  ? "opened "
                                : event.kind == Kind::other ? "other "
                                                            : "overflow ") +
                    event.name);
  }
  return lines;
}

TEST(TreeWatch, TellsOfOpeningsAndChangesInOrderAndOfNothingElse) {
  const Scratch scratch;
  put(scratch / "one", "1");
  put(scratch / "two", "2");
  auto watch = TreeWatch::make();
  ASSERT_TRUE(watch);
  const int directory = watch->add(scratch.path);
  ASSERT_GE(directory, 0);
  EXPECT_TRUE(watch->quiet());
  (void)lstat_of(scratch / "one");
  EXPECT_TRUE(watch->quiet());
  EXPECT_TRUE(watch->drain().empty());
  read_once(scratch / "one");
  read_once(scratch / "two");
  read_once(scratch / "one");
  EXPECT_FALSE(watch->quiet());
  EXPECT_EQ(told(*watch, directory), (std::vector<std::string>{"opened one", "opened two", "opened one"}));
  EXPECT_TRUE(watch->quiet());
  {
    const Fd writer(::open((scratch / "one").c_str(), O_WRONLY | O_CLOEXEC));
    EXPECT_EQ(told(*watch, directory), std::vector<std::string>{"opened one"});
    ASSERT_EQ(::write(writer.get(), "x", 1), 1);
    EXPECT_EQ(told(*watch, directory), std::vector<std::string>{"other one"});
  }
  EXPECT_EQ(told(*watch, directory), std::vector<std::string>{"other one"}) << "closed after being open for writing";
  ASSERT_EQ(::rename((scratch / "two").c_str(), (scratch / "three").c_str()), 0);
  EXPECT_EQ(told(*watch, directory), (std::vector<std::string>{"other two", "other three"}));
  ASSERT_EQ(::chmod(scratch.path.c_str(), 0755), 0);
  EXPECT_EQ(told(*watch, directory), std::vector<std::string>{"other "});
}

TEST(TreeWatch, TellsOfTheDirectoryThatGoes) {
  const Scratch scratch;
  fs::create_directory(scratch / "d");
  auto watch = TreeWatch::make();
  ASSERT_TRUE(watch);
  ASSERT_GE(watch->add(scratch / "d"), 0);
  fs::rename(scratch / "d", scratch / "e");
  EXPECT_FALSE(watch->drain().empty());
  fs::remove(scratch / "e");
  EXPECT_FALSE(watch->drain().empty());
}

TEST(TreeWatch, TakesDirectoriesOnlyAndNoSymlinks) {
  const Scratch scratch;
  put(scratch / "file", "1");
  fs::create_directory(scratch / "d");
  fs::create_directory_symlink("d", scratch / "link");
  auto watch = TreeWatch::make();
  ASSERT_TRUE(watch);
  for (const char* name : {"file", "link", "absent"}) {
    EXPECT_LT(watch->add(scratch / name), 0) << name;
    EXPECT_TRUE(errno == ENOTDIR || errno == ELOOP || errno == ENOENT) << name;
  }
}

TEST(TreeWatch, SaysThatEventsWereLost) {
  const Scratch scratch;
  put(scratch / "one", "1");
  put(scratch / "two", "2");
  auto watch = TreeWatch::make();
  ASSERT_TRUE(watch);
  ASSERT_GE(watch->add(scratch.path), 0);
  const int kept = std::stoi(*read_file("/proc/sys/fs/inotify/max_queued_events"));
  for (int i = 0; i <= kept; ++i) read_once(scratch / (i % 2 == 0 ? "one" : "two"));
  const auto events = watch->drain();
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().kind, Kind::overflow);
}

TEST(TreeWatch, KnowsItsLimits) {
  const WatchLimits limits = watch_limits();
  EXPECT_GT(limits.watches, 0U);
  EXPECT_GT(limits.instances, 0U);
}

#ifndef __SANITIZE_THREAD__  // whose own thread forbids a process to go into a namespace
// In a user namespace of its own, whose limit is its own: 0 when `in_there` says so, 77 where there may be none.
int in_namespace_with_two_watches(const std::function<bool()>& in_there) {
  const ::pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWUSER) != 0) ::_exit(77);
    const Fd limit(::open("/proc/sys/user/max_inotify_watches", O_WRONLY | O_CLOEXEC));
    if (!limit.valid() || ::write(limit.get(), "2\n", 2) != 2) ::_exit(77);
    ::_exit(in_there() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(TreeWatch, SaysWhenTheSystemGivesNoMore) {
  const Scratch scratch;
  for (const char* name : {"a", "b", "c"}) fs::create_directory(scratch / name);
  const int result = in_namespace_with_two_watches([&] {
    if (watch_limits().watches != 2) return false;
    auto watch = TreeWatch::make();
    if (!watch || watch->add(scratch / "a") < 0 || watch->add(scratch / "b") < 0) return false;
    return watch->add(scratch / "c") < 0 && errno == ENOSPC;
  });
  if (result == 77) GTEST_SKIP() << "no user namespace may be made here";
  EXPECT_EQ(result, 0);
}
#endif

TEST(Writers, AreSeenWhileTheyAreThereAndWaitForALease) {
  const Scratch scratch;
  put(scratch / "file", "1");
  ASSERT_TRUE(is_local(scratch.path));
  EXPECT_FALSE(is_local("/proc"));
  const Fd reader(::open((scratch / "file").c_str(), O_RDONLY | O_CLOEXEC));
  {
    const Fd writer(::open((scratch / "file").c_str(), O_WRONLY | O_CLOEXEC));
    EXPECT_EQ(writers_of(reader.get()), Writers::some);
  }
  EXPECT_EQ(writers_of(reader.get()), Writers::none);
  // The kernel says that the lease is to be given back, by a signal that ends nobody.
  const Fd refused(::open((scratch / "file").c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_FALSE(refused.valid());
  EXPECT_EQ(errno, EWOULDBLOCK);
}

TEST(PollSet, TellsWhichAreReadable) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd reads(ends[0]);
  const Fd writes(ends[1]);
  PollSet set;
  set.add(reads.get());
  EXPECT_TRUE(set.ready().empty());
  ASSERT_EQ(::write(writes.get(), "x", 1), 1);
  EXPECT_EQ(set.ready(), std::vector<int>{reads.get()});
  EXPECT_EQ(set.ready(), std::vector<int>{reads.get()}) << "until it is read";
  struct ::pollfd all {
    set.fd(), POLLIN, 0
  };
  EXPECT_EQ(::poll(&all, 1, 0), 1);
  set.remove(reads.get());
  EXPECT_TRUE(set.ready().empty());
}

}  // namespace
}  // namespace wtpool::platform
