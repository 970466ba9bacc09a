// Finding the daemon, refusing what is not the user's, and starting one. `wtpoold` is a script of the test's here.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "client/daemon/endpoint.hpp"
#include "client/daemon/start.hpp"
#include "tests/unit/client/fake_daemon.hpp"

namespace wtpool::client::testing {
namespace {

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// PATH with a `wtpoold` of ours first, given back at the end.
class FakeProgram {
 public:
  FakeProgram(const Home& home, const std::string& script) : before_(::getenv("PATH")) {
    const auto bin = home.path / "bin";
    std::filesystem::create_directory(bin);
    std::ofstream(bin / "wtpoold") << "#!/bin/sh\n" << script;
    ::chmod((bin / "wtpoold").c_str(), 0755);
    ::setenv("PATH", (bin.string() + ":" + before_).c_str(), 1);
    ::unsetenv("WTPOOL_NO_SPAWN");
  }
  ~FakeProgram() { ::setenv("PATH", before_.c_str(), 1); }
  FakeProgram(const FakeProgram&) = delete;
  FakeProgram& operator=(const FakeProgram&) = delete;

 private:
  std::string before_;
};

TEST(Reaching, NamesTheSocketAndTheCommandWhenNobodyListens) {
  Home home;
  const Ran ran = wtpool({"pools"});
  EXPECT_EQ(ran.exit_code, 7);
  EXPECT_EQ(ran.err, "wtpool: cannot reach the daemon at " + home.socket.string() +
                         ": nothing listens there\nhint: wtpool daemon start\n");
}

TEST(Reaching, AsksAgainWhereADaemonGoesAwayBeforeItWasAskedAnything) {
  Home home;
  FakeDaemon daemon(home.socket, {[](Peer&) {}, [](Peer& peer) { static_cast<void>(peer.line()); },
                                  [](Peer& peer) {
                                    peer.greet();
                                    static_cast<void>(peer.line());
                                    peer.raw("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":[]}\n");
                                  }});
  const Ran ran = wtpool({"--json", "pools"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out, "[]\n");
}

TEST(Reaching, TakesAStaleSocketForNobody) {
  Home home;
  {
    FakeDaemon gone(home.socket, [](Peer&) {});
    std::thread([&] { static_cast<void>(wtpool({"pools"})); }).join();
  }
  ASSERT_TRUE(std::filesystem::exists(home.socket));
  EXPECT_EQ(wtpool({"daemon", "status"}).exit_code, 7);
}

TEST(Reaching, RefusesADirectoryThatIsOpenToOthers) {
  Home home;
  ::chmod(home.socket.parent_path().c_str(), 0755);
  const Ran ran = wtpool({"pools"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.err.find("open to other users"), std::string::npos) << ran.err;
}

TEST(Reaching, RefusesADirectoryThatIsASymlink) {
  Home home;
  std::filesystem::create_directory_symlink(home.socket.parent_path(), home.path / "link");
  const std::string socket = (home.path / "link/wtpoold.sock").string();
  const Ran ran = wtpool({"--socket", socket.c_str(), "pools"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.err.find("symbolic link"), std::string::npos) << ran.err;
}

TEST(Reaching, SaysWhenAPathIsTooLongForASocket) {
  Home home;
  const std::string socket = (home.path / std::string(120, 'x')).string();
  for (const auto& args : {std::vector<const char*>{"--socket", socket.c_str(), "pools"},
                           std::vector<const char*>{"daemon", "socket", "--socket", socket.c_str()}}) {
    const Ran ran = wtpool(args);
    EXPECT_EQ(ran.exit_code, 1);
    EXPECT_NE(ran.err.find(std::to_string(socket.size()) + " bytes"), std::string::npos) << ran.err;
    EXPECT_EQ(ran.out, "");
  }
}

TEST(Reaching, PrefersWhatWasSaidToWhatTheRunningDaemonSays) {
  Home home;
  EXPECT_EQ(wtpool({"daemon", "socket"}).out, home.socket.string() + "\n");
  const HostPaths paths = host_paths();
  std::filesystem::create_directories(paths.state_dir);
  std::ofstream(paths.instance_lock) << format_instance({::getpid(), "0.1.0", "/run/of/the/daemon.sock", "/pools"});
  const Fd lock(::open(paths.instance_lock.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::flock(lock.get(), LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(wtpool({"daemon", "socket"}).out, "/run/of/the/daemon.sock\n");
  ::setenv("WTPOOL_SOCKET", "/by/environment.sock", 1);
  EXPECT_EQ(wtpool({"daemon", "socket"}).out, "/by/environment.sock\n");
  EXPECT_EQ(wtpool({"daemon", "socket", "--socket", "/by/option.sock"}).out, "/by/option.sock\n");
}

TEST(Reaching, LeavesTheStartToAServiceManager) {
  Home home;
  FakeProgram program(home, "touch \"$HOME/started\"\nexit 1\n");
  std::filesystem::create_directories(home.path / ".config/systemd/user");
  std::ofstream(home.path / ".config/systemd/user/wtpoold.service") << "[Service]\n";
  const Ran ran = wtpool({"pools"});
  EXPECT_EQ(ran.exit_code, 7);
  EXPECT_TRUE(ran.err.ends_with("\nhint: systemctl --user start wtpoold\n")) << ran.err;
  EXPECT_FALSE(std::filesystem::exists(home.path / "started"));
}

TEST(Starting, SaysTheLastWordsOfADaemonThatEndsAtOnce) {
  Home home;
  FakeProgram program(home, "echo first >&2\necho 'wtpoold: cannot start: no space' >&2\nexit 3\n");
  const Ran ran = wtpool({"pools"});
  EXPECT_EQ(ran.exit_code, 7);
  EXPECT_TRUE(ran.err.starts_with(
      "wtpool: cannot start the daemon: it ended with exit code 3; it said: wtpoold: cannot start: no space\n"))
      << ran.err;
}

TEST(Starting, GivesTheDaemonAnEnvironmentASessionAndNothingElse) {
  Home home;
  FakeProgram program(home,
                      "env >\"$HOME/env\"\npwd >\"$HOME/cwd\"\nls /proc/self/fd | wc -l >\"$HOME/fds\"\n"
                      "cut -d' ' -f 5-6 </proc/$$/stat >\"$HOME/session\"\necho $$ >>\"$HOME/session\"\nexit 1\n");
  ::setenv("WTPOOL_LEASE", "secret", 1);
  ::setenv("WORKTREE_ROOT", "/pools", 1);
  const Fd open_by_caller(::dup(0));
  EXPECT_EQ(wtpool({"pools"}).exit_code, 7);
  ::unsetenv("WTPOOL_LEASE");
  const std::string env = content(home.path / "env");
  EXPECT_NE(env.find("WORKTREE_ROOT=/pools\n"), std::string::npos) << env;
  EXPECT_NE(env.find("HOME=" + home.path.string() + "\n"), std::string::npos) << env;
  EXPECT_EQ(env.find("WTPOOL_"), std::string::npos) << env;
  EXPECT_EQ(content(home.path / "cwd"), "/\n");
  EXPECT_EQ(std::stoi(content(home.path / "fds")), 4);  // the three, and ls's own
  std::istringstream session(content(home.path / "session"));
  std::string group, id, pid;
  session >> group >> id >> pid;
  EXPECT_EQ(group, pid);
  EXPECT_EQ(id, pid);
}

TEST(Starting, KeepsOnlyWhatADaemonNeedsOfTheEnvironment) {
  Home home;
  HostPaths paths = host_paths();
  auto kept = daemon_environment({"PATH=/bin", "USER=u", "LANG=C", "XDG_RUNTIME_DIR=/run/u", "SSH_AUTH_SOCK=/s",
                                  "GIT_DIR=/evil", "HOME=relative", "WTPOOL_SOCKET=x", "WTPOOL_LEASE=y", "PATHS=no", "odd"},
                                 {"/said.sock", true}, paths);
  std::sort(kept.begin(), kept.end());
  EXPECT_EQ(kept, (std::vector<std::string>{"HOME=" + home.path.string(), "LANG=C", "PATH=/bin", "SSH_AUTH_SOCK=/s", "USER=u",
                                            "WTPOOL_SOCKET=/said.sock", "XDG_RUNTIME_DIR=/run/u"}));
}

TEST(Starting, IsForbiddenByTheEnvironment) {
  Home home;
  FakeProgram program(home, "touch \"$HOME/started\"\nexit 1\n");
  ::setenv("WTPOOL_NO_SPAWN", "1", 1);
  EXPECT_EQ(wtpool({"pools"}).exit_code, 7);
  EXPECT_EQ(wtpool({"daemon", "status"}).exit_code, 7);
  EXPECT_FALSE(std::filesystem::exists(home.path / "started"));
}

TEST(Starting, IsNotForTheVerbsThatLookOrStop) {
  Home home;
  FakeProgram program(home, "touch \"$HOME/started\"\nexit 1\n");
  EXPECT_EQ(wtpool({"daemon", "status"}).exit_code, 7);
  const Ran ran = wtpool({"daemon", "stop"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.err, "wtpool: no daemon runs\n");
  EXPECT_FALSE(std::filesystem::exists(home.path / "started"));
}

}  // namespace
}  // namespace wtpool::client::testing
