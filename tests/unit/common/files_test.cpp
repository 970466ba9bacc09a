#include "common/files/files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>

#include "tests/unit/common/scratch.hpp"

namespace wtpool {
namespace {

namespace fs = std::filesystem;
using testing::put;
using testing::Scratch;

proto::ErrorKind kind_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const proto::Error& failure) {
    return failure.kind;
  }
  ADD_FAILURE() << "nothing was thrown";
  return proto::ErrorKind::internal;
}

std::size_t entries_in(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

TEST(ReadFile, GivesTheWholeFileOrNothing) {
  const Scratch scratch;
  const std::string content = std::string(100000, 'a') + '\0' + "end";
  put(scratch / "file", content);
  EXPECT_EQ(read_file(scratch / "file"), content);
  EXPECT_EQ(read_file(scratch / "absent"), std::nullopt);
  EXPECT_EQ(read_file(scratch / "file" / "below"), std::nullopt);
  put(scratch / "empty", "");
  EXPECT_EQ(read_file(scratch / "empty"), "");
  EXPECT_TRUE(read_file("/proc/self/stat").value_or("").size() > 10) << "a file that claims to have no bytes";
}

TEST(ReadFile, TakesExactlyItsLimit) {
  const Scratch scratch;
  put(scratch / "file", std::string(10, 'a'));
  EXPECT_EQ(read_file(scratch / "file", 10).value_or("").size(), 10u);
  EXPECT_EQ(kind_of([&] { (void)read_file(scratch / "file", 9); }), proto::ErrorKind::io_error);
}

TEST(ReadFile, RefusesWhatIsNoRegularFileWithoutWaitingForIt) {
  const Scratch scratch;
  put(scratch / "target", "secret");
  fs::create_symlink(scratch / "target", scratch / "link");
  ASSERT_EQ(::mkfifo((scratch / "fifo").c_str(), 0600), 0);
  for (const char* const name : {"link", "fifo", "."})
    EXPECT_EQ(kind_of([&] { (void)read_file(scratch / name); }), proto::ErrorKind::io_error) << name;
}

TEST(WriteDurably, ReplacesTheContentAndLeavesNothingElse) {
  const Scratch scratch;
  put(scratch / "file", "old");
  write_durably(scratch / "file", "new", 0640);
  EXPECT_EQ(read_file(scratch / "file"), "new");
  EXPECT_EQ(lstat_of(scratch / "file")->st_mode & 07777, 0640u);
  write_atomically(scratch / "other", "");
  EXPECT_EQ(entries_in(scratch.path), 2u);
}

TEST(WriteDurably, ReplacesASymlinkAndNotWhatItPointsTo) {
  const Scratch scratch;
  put(scratch / "target", "kept");
  fs::create_symlink(scratch / "target", scratch / "link");
  write_durably(scratch / "link", "new");
  EXPECT_EQ(read_file(scratch / "target"), "kept");
  EXPECT_EQ(read_file(scratch / "link"), "new");
}

TEST(WriteDurably, LeavesTheOldContentWholeWhenWritingFails) {
  const Scratch scratch;
  put(scratch / "file", "old");
  struct sigaction ignore {
  }, before{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGXFSZ, &ignore, &before);
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  rlimit small = limit;
  small.rlim_cur = 1000;
  ::setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(write_durably(scratch / "file", std::string(5000, 'x')), proto::Error);
  ::setrlimit(RLIMIT_FSIZE, &limit);
  ::sigaction(SIGXFSZ, &before, nullptr);
  EXPECT_EQ(read_file(scratch / "file"), "old");
  EXPECT_EQ(entries_in(scratch.path), 1u) << "the temporary file is still there";
}

TEST(WriteDurably, SaysWhichFileAndWhy) {
  const Scratch scratch;
  fs::create_directory(scratch / "directory");
  EXPECT_THROW(write_durably(scratch / "directory", "x"), proto::Error);
  EXPECT_EQ(entries_in(scratch.path), 1u);
  try {
    write_durably(scratch / "absent" / "file", "x");
    FAIL();
  } catch (const proto::Error& failure) {
    EXPECT_NE(failure.message.find("absent/file: No such file"), std::string::npos) << failure.message;
  }
}

TEST(IoError, HasTheKindThatTheErrnoStandsFor) {
  EXPECT_EQ(io_error("cannot write", "/x", ENOSPC).kind, proto::ErrorKind::no_space);
  EXPECT_EQ(io_error("cannot write", "/x", EDQUOT).kind, proto::ErrorKind::no_space);
  EXPECT_EQ(io_error("cannot write", "/x", EROFS).kind, proto::ErrorKind::read_only);
  EXPECT_EQ(io_error("cannot write", "/x", EACCES).kind, proto::ErrorKind::permission_denied);
  EXPECT_EQ(io_error("cannot write", "/x", EIO).kind, proto::ErrorKind::io_error);
  EXPECT_EQ(io_error("cannot write", "/a\nb", EIO).message, "cannot write /a\\x0ab: Input/output error");
}

TEST(UnlinkDurably, SaysWhetherThereWasOne) {
  const Scratch scratch;
  put(scratch / "file", "x");
  EXPECT_TRUE(unlink_durably(scratch / "file"));
  EXPECT_FALSE(unlink_durably(scratch / "file"));
}

TEST(MakeDirectories, MakesEachLevelAndTakesASymlinkForADirectory) {
  const Scratch scratch;
  make_directories(scratch / "a/b/c", 0700, true);
  EXPECT_EQ(lstat_of(scratch / "a/b")->st_mode & 0777, 0700u);
  make_directories(scratch / "a/b/c");
  fs::create_symlink(scratch / "a", scratch / "link");
  make_directories(scratch / "link/d");
  EXPECT_TRUE(is_directory_no_follow(scratch / "a/d"));
  EXPECT_FALSE(is_directory_no_follow(scratch / "link"));
  put(scratch / "file", "");
  EXPECT_THROW(make_directories(scratch / "file"), proto::Error);
  EXPECT_THROW(make_directories(scratch / "file/below"), proto::Error);
}

TEST(RemoveTree, RemovesWhatIsThereAndFollowsNoSymlink) {
  const Scratch scratch;
  fs::create_directories(scratch / "tree/a/b");
  fs::create_directories(scratch / "outside/kept");
  put(scratch / "tree/a/file", "x");
  put(scratch / "outside/kept/file", "x");
  fs::create_symlink(scratch / "outside", scratch / "tree/a/link");
  fs::create_symlink("nowhere", scratch / "tree/dangling");
  fs::permissions(scratch / "tree/a/b", fs::perms::none);
  fs::permissions(scratch / "tree/a", fs::perms::owner_read | fs::perms::owner_exec);
  remove_tree(scratch / "tree");
  EXPECT_FALSE(lstat_of(scratch / "tree"));
  EXPECT_TRUE(lstat_of(scratch / "outside/kept/file"));
  remove_tree(scratch / "tree");
}

TEST(RemoveTree, RemovesASymlinkAndNotItsTarget) {
  const Scratch scratch;
  fs::create_directory(scratch / "target");
  put(scratch / "target/file", "x");
  fs::create_directory_symlink(scratch / "target", scratch / "link");
  remove_tree(scratch / "link");
  EXPECT_FALSE(lstat_of(scratch / "link"));
  EXPECT_TRUE(lstat_of(scratch / "target/file"));
}

TEST(RemoveTree, TakesATreeDeeperThanThereAreDescriptors) {
  const Scratch scratch;
  fs::create_directory(scratch / "tree");
  int at = ::open((scratch / "tree").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int depth = 0; depth < 3000; ++depth) {
    ASSERT_EQ(::mkdirat(at, "deeper", 0755), 0);
    const int next = ::openat(at, "deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ::close(at);
    at = next;
  }
  ::close(at);
  remove_tree(scratch / "tree");
  EXPECT_FALSE(lstat_of(scratch / "tree"));
}

TEST(ChildrenOf, AreSortedAndNoneWhereThereIsNoDirectory) {
  const Scratch scratch;
  EXPECT_TRUE(children_of(scratch / "none").empty());
  for (const char* name : {"b", "c", "a"}) put(scratch / name, "x");
  EXPECT_EQ(children_of(scratch.path), (std::vector{scratch / "a", scratch / "b", scratch / "c"}));
  EXPECT_TRUE(children_of(scratch / "a").empty());
}

TEST(ChildrenOf, AreNotTakenForGoneWithoutDescriptors) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UBSan needs descriptors of its own to look at what is thrown";
#endif
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  struct rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  EXPECT_THROW((void)children_of("/tmp"), proto::Error);
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST(RealPath, ResolvesWhatIsThereAndKeepsTheRest) {
  const Scratch scratch;
  const fs::path top = fs::canonical(scratch.path);
  fs::create_directory(scratch / "real");
  fs::create_directory_symlink(scratch / "real", scratch / "link");
  EXPECT_EQ(real_path(scratch / "link"), top / "real");
  EXPECT_EQ(real_path(scratch / "link/not/there"), top / "real/not/there");
  fs::create_symlink("loop", scratch / "loop");
  EXPECT_EQ(real_path(scratch / "loop/x"), top / "loop/x");
}

TEST(FreeBytes, SaysNothingWhereItCannotBeTold) {
  EXPECT_TRUE(free_bytes("/").has_value());
  EXPECT_FALSE(free_bytes("/nonexistent/path").has_value());
}

TEST(StagedFile, IsSeenOnlyInItsPlaceAndWhole) {
  const Scratch scratch;
  put(scratch / "file", "old");
  {
    const StagedFile given_up(scratch / "file", "new");
    EXPECT_EQ(read_file(scratch / "file"), "old");
    EXPECT_EQ(entries_in(scratch.path), 2u);
  }
  EXPECT_EQ(entries_in(scratch.path), 1u) << "what was given up is gone";
  StagedFile first(scratch / "file", "new", 0640);
  StagedFile staged(std::move(first));
  staged.sync();
  staged.put_in_place();
  EXPECT_EQ(read_file(scratch / "file"), "new");
  EXPECT_EQ(lstat_of(scratch / "file")->st_mode & 07777, 0640u);
  EXPECT_EQ(entries_in(scratch.path), 1u);
  EXPECT_EQ(kind_of([&] { const StagedFile nowhere(scratch / "absent" / "file", "x"); }), proto::ErrorKind::io_error);
}

TEST(StagedFile, OfProcessesThatWereKilledIsTakenAwayAndNothingElse) {
  const Scratch scratch;
  put(scratch / ".wtpool-0123456789abcdef.tmp", "left");
  put(scratch / "lock", "kept");
  put(scratch / "notes.tmp", "kept");
  remove_staged(scratch.path);
  EXPECT_EQ(entries_in(scratch.path), 2u);
  remove_staged(scratch / "absent");
}

TEST(SyncTogether, SyncsEachAndSaysWhenOneCannotBe) {
  const Scratch scratch;
  const StagedFile one(scratch / "one", "1");
  const StagedFile two(scratch / "two", "2");
  const StagedFile three(scratch / "three", "3");
  const std::array all{one.descriptor(), two.descriptor(), three.descriptor()};
  sync_together(all, scratch.path);
  sync_together({}, scratch.path);
  for (std::size_t bad = 0; bad < all.size(); ++bad) {
    auto with_bad = all;
    with_bad[bad] = -1;
    EXPECT_EQ(kind_of([&] { sync_together(with_bad, scratch.path); }), proto::ErrorKind::io_error) << bad;
  }
}

}  // namespace
}  // namespace wtpool
