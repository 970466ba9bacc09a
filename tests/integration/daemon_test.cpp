#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <set>

#include "tests/support/wire.hpp"
#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

// The daemons of this world, however they were started.
std::set<int> daemons_of(const World& world) {
  std::set<int> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (trimmed(read_text(entry.path() / "comm")) != "wtpoold") continue;
    if (read_text(entry.path() / "environ").find(world.dir().string()) != std::string::npos) found.insert(std::stoi(name));
  }
  return found;
}

TEST(Daemon, ASecondOneSaysSoAndLeavesWithZero) {
  World world;
  world.start_daemon();
  auto second = world.start_wtpoold();
  const auto outcome = second.wait(20s);
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find(std::to_string(world.daemon().pid())), std::string::npos) << "the one that serves is named\n"
                                                                                       << outcome;
  EXPECT_TRUE(world.answers());
}

TEST(Daemon, OfManyStartedAtOnceOneServes) {
  World world;
  std::vector<Process> all;
  for (int count = 0; count < 12; ++count) all.push_back(world.start_wtpoold());
  ASSERT_TRUE(wait_until([&] { return world.answers(); }));
  EXPECT_TRUE(wait_until([&] {
    int running = 0;
    for (auto& one : all) running += one.running();
    return running == 1;
  }));
  for (auto& one : all) {
    if (one.running()) continue;
    const auto outcome = one.wait();
    EXPECT_EQ(outcome.code, 0) << outcome;
  }
  EXPECT_EQ(world.wtpool({"status"}).code, 0);
}

TEST(Daemon, ToldToEndAtItsFirstConnectionItDrains) {
  World world;
  for (int time = 0; time < 20; ++time) {
    world.start_daemon();  // until somebody accepts, and no longer
    world.stop_daemon();   // expects 0
    EXPECT_FALSE(fs::exists(world.socket()));
  }
}

TEST(Daemon, IsNotHeldUpByAnyNumberOfChecks) {
  World world;
  world.start_daemon();
  world.init(world.make_repo());
  std::vector<std::unique_ptr<Wire>> curious;
  for (int count = 0; count < 30; ++count) {
    curious.push_back(std::make_unique<Wire>(world.socket()));
    for (int id = 1; id <= 60; ++id) ASSERT_TRUE(curious.back()->send(request(id, "host.doctor")));
  }
  Wire wire(world.socket());
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(wire.call("slot.acquire", {{"name", "x"}}).contains("result"));
  curious.clear();
  EXPECT_TRUE(wire.call("host.doctor").contains("result")) << "what nobody wants any more is not looked for";
  EXPECT_LT(std::chrono::steady_clock::now() - start, 8s);
}

TEST(Daemon, WritesWhoItIsIntoTheInstanceLock) {
  World world;
  world.start_daemon();
  const auto text = read_text(world.state() / "instance.lock");
  for (const auto& word : {std::to_string(world.daemon().pid()), world.socket().string(), world.root().string()}) {
    EXPECT_NE(text.find(word), std::string::npos) << text;
  }
}

TEST(Daemon, ItsSocketIsForItsUserAlone) {
  World world;
  world.start_daemon();
  struct ::stat status {};
  ASSERT_EQ(::stat(world.socket().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
}

TEST(Daemon, MakesTheSocketsDirectoryForItsUserAlone) {
  World world;
  world.environment.erase("WTPOOL_SOCKET");
  auto daemon = world.start_wtpoold();
  const auto socket = world.dir() / "run/wtpool/wtpoold.sock";
  ASSERT_TRUE(wait_until([&] { return fs::exists(socket) || !daemon.running(); })) << daemon.err_so_far();
  struct ::stat status {};
  ASSERT_EQ(::stat(socket.parent_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  ASSERT_TRUE(wait_until([&] { return world.wtpool({"status"}).code == 0; }));
}

TEST(Daemon, RefusesASocketDirectoryThatIsOpenToOthers) {
  World world;
  ::chmod(world.socket().parent_path().c_str(), 0777);
  auto daemon = world.start_wtpoold();
  const auto outcome = daemon.wait(20s);
  EXPECT_NE(outcome.code, 0);
  EXPECT_NE(outcome.err.find(world.socket().parent_path().string()), std::string::npos) << outcome;
  EXPECT_FALSE(fs::exists(world.socket()));
}

TEST(Daemon, RefusesASocketDirectoryThatIsASymlink) {
  World world;
  fs::rename(world.dir() / "run", world.dir() / "real");
  fs::create_directory_symlink(world.dir() / "real", world.dir() / "run");
  auto daemon = world.start_wtpoold();
  const auto outcome = daemon.wait(20s);
  EXPECT_NE(outcome.code, 0);
  EXPECT_NE(outcome.err.find((world.dir() / "run").string()), std::string::npos) << outcome;
  EXPECT_FALSE(fs::exists(world.dir() / "real/s"));
}

TEST(Daemon, SaysWhenASocketPathIsTooLong) {
  World world;
  const auto make_path = [&](std::size_t length) {
    const auto folder = world.dir() / "run";
    return folder.string() + "/" + std::string(length - folder.string().size() - 1, 's');
  };
  world.environment["WTPOOL_SOCKET"] = make_path(108);
  auto daemon = world.start_wtpoold();
  const auto outcome = daemon.wait(20s);
  EXPECT_NE(outcome.code, 0);
  for (const auto& word : {make_path(108), std::string("108"), std::string("107")}) {
    EXPECT_NE(outcome.err.find(word), std::string::npos) << outcome;
  }
  const auto client = world.wtpool({"status"});
  EXPECT_NE(client.code, 0);
  EXPECT_NE(client.err.find("107"), std::string::npos) << client;

  world.environment["WTPOOL_SOCKET"] = make_path(107);
  auto longest = world.start_wtpoold();
  EXPECT_TRUE(wait_until([&] { return world.wtpool({"status"}).code == 0; })) << longest.err_so_far();
}

TEST(Daemon, AnotherUserIsRefused) {
  if (::getuid() != 0) GTEST_SKIP() << "only root can become another user to try it";
  World world;
  world.start_daemon();
  // The permissions that keep others out are taken away, so that the check behind them is what answers.
  ::chmod(world.dir().c_str(), 0755);
  ::chmod(world.socket().parent_path().c_str(), 0755);
  ::chmod(world.socket().c_str(), 0666);
  const auto ask = [&](const std::vector<std::string>& as) {
    auto argv = as;
    for (const auto& word : {std::string("nc"), std::string("-N"), std::string("-U"), world.socket().string()})
      argv.push_back(word);
    return run({.argv = argv, .environment = world.environment, .input = request(1, "ping")}).out;
  };
  EXPECT_EQ(ask({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}), "");
  EXPECT_NE(ask({}), "");
}

TEST(Client, WithAnotherRootIsRefusedAndBothAreNamed) {
  World world;
  world.start_daemon();
  const auto other = world.dir() / "other-root";
  const auto outcome = world.wtpool({"ls"}, {.environment = {{"WORKTREE_ROOT", other.string()}}});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.err.find(other.string()), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find(world.root().string()), std::string::npos) << outcome;
}

TEST(Client, MayBeForbiddenToStartADaemon) {
  World world;
  const auto outcome = world.wtpool({"ls"});
  EXPECT_EQ(outcome.code, 7) << outcome;
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(outcome.err.starts_with("wtpool: ")) << outcome;
  EXPECT_TRUE(daemons_of(world).empty());
}

TEST(Client, ManyAtOnceStartOneDaemonInASessionOfItsOwn) {
  for (const bool own_socket : {true, false}) {
    World world;
    world.environment.erase("WTPOOL_NO_SPAWN");
    world.environment["RUNNER_TRACKING_ID"] = "a job cleaner looks for this";
    if (!own_socket) world.environment.erase("WTPOOL_SOCKET");
    std::vector<Process> clients;
    for (int count = 0; count < 20; ++count) clients.push_back(world.start_wtpool({"--json", "status"}));
    std::set<int> pids;
    for (auto& client : clients) {
      const auto outcome = client.wait();
      EXPECT_EQ(outcome.code, 0) << outcome;
      const auto status = json::parse(outcome.out, nullptr, false);
      if (status.is_object()) pids.insert(status["pid"].get<int>());
    }
    ASSERT_EQ(pids.size(), 1u);
    const int pid = *pids.begin();
    EXPECT_TRUE(wait_until([&] { return daemons_of(world) == pids; }));
    EXPECT_EQ(::getsid(pid), pid);
    EXPECT_EQ(read_text("/proc/" + std::to_string(pid) + "/environ").find("RUNNER_TRACKING_ID"), std::string::npos);
    EXPECT_EQ(world.wtpool({"daemon", "stop"}).code, 0);
    EXPECT_TRUE(wait_until([&] { return daemons_of(world).empty(); }));
  }
}

TEST(Client, FindsTheRunningDaemonThroughTheInstanceLock) {
  World world;
  world.start_daemon();  // on $WTPOOL_SOCKET, which the next client does not have
  world.environment.erase("WTPOOL_SOCKET");
  EXPECT_EQ(world.json_of({"status"})["pid"], world.daemon().pid());
  const auto outcome = world.wtpool({"daemon", "socket"});
  EXPECT_EQ(outcome.out, world.socket().string() + "\n") << outcome;
}

TEST(Client, StartsAndStopsTheDaemonWhenTold) {
  World world;
  EXPECT_NE(world.wtpool({"daemon", "status"}).code, 0);
  EXPECT_EQ(world.wtpool({"daemon", "start"}).code, 0);
  EXPECT_EQ(world.wtpool({"daemon", "status"}).code, 0);
  const auto first = daemons_of(world);
  EXPECT_EQ(first.size(), 1u);
  EXPECT_EQ(world.wtpool({"daemon", "start"}).code, 0);
  EXPECT_EQ(daemons_of(world), first);
  EXPECT_EQ(world.wtpool({"daemon", "restart"}).code, 0);
  EXPECT_EQ(world.wtpool({"status"}).code, 0);
  EXPECT_NE(daemons_of(world), first);
  EXPECT_EQ(world.wtpool({"daemon", "stop"}).code, 0);
  EXPECT_TRUE(wait_until([&] { return daemons_of(world).empty(); }));
}

TEST(Client, ErrorsAreOneLineAndAHint) {
  World world;
  world.start_daemon();
  const auto repo = world.make_repo();
  repo.git({"branch", "taken"});
  world.init(repo);
  const auto lines = lines_of(world.wtpool({"acquire", "taken"}).err);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(lines[0].starts_with("wtpool: ")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("hint: ")) << lines[1];
}

TEST(Daemon, ThatAnswersNoMoreIsEndedByStop) {
  World world;
  const Repo repo = world.make_repo();
  world.start_daemon();
  world.init(repo);
  world.acquire("x");
  ASSERT_EQ(::kill(static_cast<pid_t>(*world.pid_in_instance_lock()), SIGSTOP), 0);
  const auto outcome = world.wtpool({"daemon", "stop"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("does not answer: ending process"), std::string::npos) << outcome;
  world.start_daemon();
  EXPECT_EQ(world.state_of("slot-0"), "held");
}

TEST(Daemon, OutlivesADoctorWhoComesByWhatCannotBeLookedInto) {
  World world;
  const Repo repo = world.make_repo();
  world.start_daemon();
  world.init(repo);
  fs::create_symlink("loop", world.root() / "loop");
  EXPECT_EQ(world.wtpool({"doctor"}).code, 0);
  EXPECT_EQ(world.wtpool({"doctor", "--repair"}).code, 0);
  EXPECT_EQ(world.wtpool({"status"}).code, 0);
}

}  // namespace
}  // namespace wtpool::test
