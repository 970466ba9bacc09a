#include "common/platform/open_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <future>

#include "common/files/fd.hpp"
#include "tests/unit/git/support.hpp"

#ifdef __linux__
#include <sys/mount.h>
#endif

namespace wtpool::git {
namespace {

using OpenFiles = GitRoom;
using Pids = std::vector<std::int64_t>;

TEST_F(OpenFiles, AreFoundByWhoeverHasThemOpen) {
  write(root / "a.lock", "");
  EXPECT_EQ(openers_of(root / "a.lock"), Pids{});
  const Fd open(::open((root / "a.lock").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(openers_of(root / "a.lock"), Pids{::getpid()});
  fs::create_directory_symlink(root, root / "other");
  EXPECT_EQ(openers_of(root / "other/a.lock"), Pids{::getpid()}) << "whatever the directory is called";
  write(root / "elsewhere/a.lock", "");
  EXPECT_EQ(openers_of(root / "elsewhere/a.lock"), Pids{}) << "another file of the name";
}

TEST_F(OpenFiles, ThatWereReplacedAreNotTheNewOnes) {
  write(root / "a.lock", "");
  const Fd open(::open((root / "a.lock").c_str(), O_RDONLY | O_CLOEXEC));
  fs::rename(root / "a.lock", root / "a");
  write(root / "a.lock", "");
  EXPECT_EQ(openers_of(root / "a.lock"), Pids{});
  EXPECT_EQ(openers_of(root / "a"), Pids{::getpid()});
}

#ifdef __linux__
// A file system whose server never answers, as a dead sshfs or NFS.
TEST_F(OpenFiles, OfAFileSystemThatDoesNotAnswerHoldUpNobody) {
  Fd server(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!server.valid()) GTEST_SKIP() << "there is no FUSE here";
  const auto dead = root / "dead";
  fs::create_directories(dead);
  const std::string options = "fd=" + std::to_string(server.get()) + ",rootmode=40000,user_id=0,group_id=0";
  if (::mount("fuse", dead.c_str(), "fuse", 0, options.c_str()) != 0) GTEST_SKIP() << "nothing can be mounted here";
  Fd inside(::open(dead.c_str(), O_PATH | O_CLOEXEC));
  EXPECT_TRUE(inside.valid());
  write(root / "a.lock", "");
  auto asked = std::async(std::launch::async, [&] { return openers_of(root / "a.lock"); });
  EXPECT_EQ(asked.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  server.reset();  // whoever waits for it is told so
  EXPECT_EQ(asked.get(), Pids{});
  inside.reset();
  ::umount2(dead.c_str(), MNT_DETACH);
}
#endif

}  // namespace
}  // namespace wtpool::git
