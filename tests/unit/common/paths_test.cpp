#include "common/host_paths.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "common/base/clock.hpp"
#include "common/base/log.hpp"
#include "common/platform/peer.hpp"
#include "common/platform/process.hpp"
#include "common/process/account.hpp"
#include "proto/errors.hpp"
#include "tests/unit/common/scratch.hpp"

namespace wtpool {
namespace {

using testing::put;
using testing::Scratch;

TEST(HostPaths, FollowTheEnvironment) {
  for (const char* const name :
       {"XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "WORKTREE_ROOT", "WTPOOL_SOCKET"})
    ::unsetenv(name);
  ::setenv("HOME", "/home/me/", 1);
  ::setenv("XDG_STATE_HOME", "relative", 1);
  ::setenv("WORKTREE_ROOT", "", 1);
  HostPaths paths = host_paths();
  EXPECT_EQ(paths.home, "/home/me");
  EXPECT_EQ(paths.instance_lock, "/home/me/.local/state/wtpool/instance.lock");
  EXPECT_EQ(paths.host_config, "/home/me/.config/wtpool/wtpoold.yaml");
  EXPECT_EQ(paths.default_root, "/home/me/.local/share/wtpool/pools");
  EXPECT_EQ(paths.default_socket, "/home/me/.wtpool/wtpoold.sock");
  EXPECT_FALSE(paths.root_from_env || paths.socket_from_env);

  ::setenv("XDG_RUNTIME_DIR", "/run/user/1", 1);
  ::setenv("XDG_STATE_HOME", "/state", 1);
  ::setenv("WORKTREE_ROOT", "~/pools/", 1);
  ::setenv("WTPOOL_SOCKET", "here.sock", 1);
  paths = host_paths();
  EXPECT_EQ(paths.log_file, "/state/wtpool/wtpoold.log");
  EXPECT_EQ(paths.default_socket, "/run/user/1/wtpool/wtpoold.sock");
  EXPECT_EQ(paths.root_from_env, "/home/me/pools");
  EXPECT_EQ(paths.socket_from_env, std::filesystem::current_path() / "here.sock");
}

TEST(HomeOfAccount, IsTheOneThatTheSystemKnows) {
  const passwd* const entry = ::getpwuid(::getuid());
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(platform::home_of_account(), entry->pw_dir);
}

TEST(HomeOfAccount, OfAUserWhoIsInNoFileIsAskedOfTheSystemsServices) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to be another user";
  const Scratch scratch;
  put(scratch.path / "getent", "#!/bin/sh\n[ \"$*\" = 'passwd 54321' ] && echo far:x:54321:54321::/home/far:/bin/sh\n");
  for (const auto& open : {scratch.path, scratch.path / "getent"})
    std::filesystem::permissions(open, std::filesystem::perms(0755));
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("PATH", (scratch.path.string() + ":/usr/bin:/bin").c_str(), 1);
    const bool found = ::setuid(54321) == 0 && platform::home_of_account() == "/home/far";
    const bool unknown = found && ::setenv("PATH", "/nowhere", 1) == 0 && !platform::home_of_account();
    ::_exit(unknown ? 0 : found ? 2 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "exit code " << WEXITSTATUS(status);
}

TEST(SocketPath, IsRefusedWhenItIsTooLongNamingPathLengthAndLimit) {
  check_socket_path("/" + std::string(106, 'a'));
  try {
    check_socket_path("/" + std::string(107, 'a'));
    FAIL();
  } catch (const proto::Error& failure) {
    for (const std::string part : {"/aaaa", "108", "107"}) EXPECT_NE(failure.message.find(part), std::string::npos) << part;
  }
}

TEST(InstanceRecord, ReadsWhatItWroteAndNothingThatWasCut) {
  const InstanceRecord record{4711, "0.1.0", "/run/a\nb\\n", "/pools: x"};
  const std::string text = format_instance(record);
  const auto read = parse_instance(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->pid, 4711);
  EXPECT_EQ(read->version, "0.1.0");
  EXPECT_EQ(read->socket, record.socket);
  EXPECT_EQ(read->root, record.root);
  for (std::size_t length = 0; length < text.size(); ++length) EXPECT_FALSE(parse_instance(text.substr(0, length))) << length;
}

TEST(RunningInstance, IsOneThatHoldsTheLock) {
  const Scratch scratch;
  EXPECT_FALSE(running_instance(scratch / "lock"));
  put(scratch / "lock", format_instance({::getpid(), "1", "/s", "/r"}));
  EXPECT_FALSE(running_instance(scratch / "lock")) << "nobody holds it";
  const Fd held(::open((scratch / "lock").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::flock(held.get(), LOCK_EX | LOCK_NB), 0);
  ASSERT_TRUE(running_instance(scratch / "lock"));
  EXPECT_EQ(running_instance(scratch / "lock")->socket, "/s");
}

TEST(Clock, WritesAndReadsTimes) {
  EXPECT_EQ(rfc3339_utc(1777952096), "2026-05-05T03:34:56Z");
  EXPECT_EQ(compact_utc(1777952096), "20260505T033456Z");
  std::int64_t seconds = 0;
  EXPECT_TRUE(parse_rfc3339("2026-05-05T05:34:56.789+02:00", seconds));
  EXPECT_EQ(seconds, 1777952096);
  for (const char* const bad : {"", "2026-05-05", "2026-02-30T00:00:00Z", "2026-05-05T24:00:00Z", "2026-05-05T03:34:56",
                                "2026-05-05T03:34:56Zx", "2026-05-05T03:34:56.Z", "2026-05-05T03:34:56+2:00"})
    EXPECT_FALSE(parse_rfc3339(bad, seconds)) << bad;
  EXPECT_EQ(rfc3339_utc(INT64_MAX).size(), 20u);
  const auto earlier = awake_now();
  EXPECT_LE(earlier, awake_now());
}

TEST(RandomHex, HasTheDigitsAskedForAndDiffers) {
  EXPECT_EQ(random_hex(0), "");
  EXPECT_EQ(random_hex(33).size(), 33u);
  EXPECT_EQ(random_hex(200).find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(random_hex(32), random_hex(32));
}

TEST(Process, IsKnownByItsStampAndNotByItsPidAlone) {
  const auto self = platform::stamp_of(::getpid());
  ASSERT_TRUE(self);
  EXPECT_TRUE(platform::alive(*self));
  auto other = *self;
  other.start += 1;
  EXPECT_FALSE(platform::alive(other));
  EXPECT_FALSE(platform::watch_exit(other).valid());
  EXPECT_TRUE(platform::has_ended(other));
  EXPECT_FALSE(platform::has_ended(*self));
  EXPECT_TRUE(platform::watch_exit(*self).valid());
  EXPECT_FALSE(platform::stamp_of(0) || platform::stamp_of(-1) || platform::stamp_of(INT64_MAX));
  const auto line = platform::ancestors_of(::getpid());
  ASSERT_GE(line.size(), 2u);
  EXPECT_EQ(line[0], ::getpid());
  EXPECT_EQ(line[1], ::getppid());
  EXPECT_EQ(platform::own_executable().filename(), "test_common");
}

TEST(Peer, IsWhoConnected) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  const Fd a(pair[0]), b(pair[1]);
  const auto peer = platform::peer_of(a.get());
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->uid, ::geteuid());
  EXPECT_EQ(peer->pid, ::getpid());
  EXPECT_FALSE(platform::peer_of(-1));
}

TEST(Log, KeepsEachMessageOnOneLine) {
  const Scratch scratch;
  open_log(scratch / "deep/log", LogLevel::info, false);
  log_info("one\ntwo \x1b[31m");
  log_debug("not said");
  const std::string text = read_file(scratch / "deep/log").value();
  EXPECT_TRUE(text.ends_with(" info one\\x0atwo \\x1b[31m\n")) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

}  // namespace
}  // namespace wtpool
