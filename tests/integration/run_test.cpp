// `wtpool run`: a slot for as long as a command lasts, however the command, wtpool or the daemon ends.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/wire.hpp"
#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

bool lives(const std::string& pid) {
  const auto stat = read_text("/proc/" + pid + "/stat");
  const auto name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.substr(name_end + 2, 1) != "Z";
}

class Run : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo, {"--max-slots", "2"});
  }
  [[nodiscard]] Outcome run_sh(const std::string& script) const { return world.wtpool({"run", "x", "--", "sh", "-c", script}); }
  // Running, and past `echo $$ > "$T/pid"`.
  [[nodiscard]] Process start_sh(const std::string& script) {
    world.environment["T"] = world.dir().string();
    auto process = world.start_wtpool({"run", "x", "--", "sh", "-c", "echo $$ > $T/pid.new; mv $T/pid.new $T/pid; " + script});
    EXPECT_TRUE(wait_until([this] { return !pid_in("pid").empty(); })) << process.err_so_far();
    return process;
  }
  [[nodiscard]] std::string pid_in(const std::string& file) const { return trimmed(read_text(world.dir() / file)); }

  World world;
  Repo repo = world.make_repo();
};

TEST_F(Run, RunsInTheSlotAndLeavesItIdle) {
  const auto outcome = run_sh("pwd; git symbolic-ref --short HEAD; echo $WTPOOL_SLOT $WTPOOL_FRESH $WTPOOL_NAME");
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(outcome.out, (world.root() / "app/slot-0").string() + "\nx\nslot-0 1 x\n");
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_FALSE(repo.has_branch("x"));
  EXPECT_EQ(run_sh("echo $WTPOOL_FRESH").out, "0\n");
}

TEST_F(Run, FromAHookItsCommandsGitWorksInTheSlot) {
  world.environment["GIT_DIR"] = (repo.path() / ".git").string();
  world.environment["GIT_INDEX_FILE"] = (repo.path() / ".git/index").string();
  world.environment["GIT_PREFIX"] = "";
  world.environment["GIT_CONFIG_COUNT"] = "1";
  world.environment["GIT_CONFIG_KEY_0"] = "user.name";
  world.environment["GIT_CONFIG_VALUE_0"] = "Somebody Else";
  const auto outcome = run_sh(
      "git symbolic-ref --short HEAD && echo new > new && git add -A && git -c user.email=x@example.invalid commit -qm "
      "generated"
      " && git log -1 --format=%an");
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(outcome.out, "x\nSomebody Else\n") << "the user's own settings stay";
  EXPECT_EQ(repo.git({"status", "--porcelain"}), "");
  EXPECT_EQ(repo.git({"log", "--format=%s", "-1"}).find("generated"), std::string::npos);
}

TEST_F(Run, GivesASlotBackWithItsWorkKeptAlsoInAPoolThatRefusesDirt) {
  const auto config = world.root() / "app/.meta/config.yaml";
  write_text(config, read_text(config) + "on_dirty: refuse\n");
  const auto outcome = run_sh("echo work > README.md");
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  const auto refs = repo.trash_refs();
  ASSERT_EQ(refs.size(), 1u);
  EXPECT_EQ(repo.git({"show", refs.front() + ":README.md"}), "work");
}

TEST_F(Run, HoldsAConnectionLeaseMeanwhile) {
  auto running = start_sh("sleep 300");
  const auto slot = world.slot("slot-0");
  EXPECT_EQ(slot["state"], "held");
  EXPECT_EQ(slot["lease"]["kind"], "connection");
  running.signal(SIGTERM);
  EXPECT_EQ(running.wait().code, 143);
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
}

TEST_F(Run, GivesTheCommandsCode) {
  EXPECT_EQ(run_sh("exit 3").code, 3);
  EXPECT_EQ(run_sh("kill -KILL $$").code, 137);
  EXPECT_EQ(world.wtpool({"run", "x", "--", "no-such-program"}).code, 127);
  EXPECT_EQ(world.wtpool({"run", "x", "--", "./README.md"}).code, 126) << "found in the slot, and no program";
  EXPECT_EQ(world.wtpool({"run", "a..b", "--", "true"}).code, 125);
  world.acquire("held");
  EXPECT_EQ(world.wtpool({"run", "held", "--", "true"}).code, 125);
}

TEST_F(Run, PassesItsStreamsThrough) {
  const auto outcome =
      run({.argv = {std::string(WTPOOL_BIN_DIR) + "/wtpool", "run", "x", "--", "sh", "-c", "cat; echo oops >&2"},
           .environment = world.environment,
           .directory = world.dir(),
           .input = "line one\nline two\n"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(outcome.out, "line one\nline two\n");
  EXPECT_EQ(outcome.err, "oops\n");
}

TEST_F(Run, HandsNoDescriptorOfItsOwnOn) {
  const std::vector<std::string> list = {"sh", "-c", "cd /proc/$$/fd; echo *"};
  const auto without = run({.argv = list, .environment = world.environment});
  const auto with = run_sh(list.back());
  EXPECT_NE(with.out, "");
  EXPECT_EQ(with.out, without.out);
}

TEST_F(Run, GivesEachLeaseItsOwnPorts) {
  auto running = start_sh("echo $WTPOOL_PORT_BASE > $T/port; sleep 300");
  ASSERT_TRUE(wait_until([this] { return !pid_in("port").empty(); }));
  const auto other = world.wtpool({"run", "y", "--", "sh", "-c", "echo $WTPOOL_PORT_BASE"});
  EXPECT_NE(trimmed(other.out), "");
  EXPECT_NE(trimmed(other.out), pid_in("port"));
  running.signal(SIGTERM);
  running.wait();
}

TEST_F(Run, KeepsWorkThatTheCommandLeft) {
  EXPECT_EQ(run_sh("echo more >> README.md").code, 0);
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_EQ(git(world.root() / "app/slot-0", {"status", "--porcelain"}), "");
  EXPECT_EQ(world.json_of({"trash", "ls"}).size(), 1u);
}

TEST_F(Run, EndsWhatTheCommandLeftRunningInItsGroup) {
  EXPECT_EQ(run_sh("sleep 300 & echo $! > ../../../left; exit 5").code, 5);
  ASSERT_NE(pid_in("left"), "");
  EXPECT_FALSE(lives(pid_in("left")));
}

TEST_F(Run, EndsWhatTheCommandTookOutOfItsGroup) {
  EXPECT_EQ(run_sh("setsid sh -c 'echo $$ > ../../../left; exec sleep 300' & "
                   "until [ -s ../../../left ]; do sleep 0.02; done")
                .code,
            0);
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_FALSE(lives(pid_in("left")));
}

TEST_F(Run, PassesATerminationOnAndReleases) {
  auto running = start_sh("trap 'exit 33' TERM; touch $T/trapped; while :; do sleep 0.05; done");
  ASSERT_TRUE(wait_until([this] { return fs::exists(world.dir() / "trapped"); }));
  running.signal(SIGTERM);
  const auto outcome = running.wait();
  EXPECT_EQ(outcome.code, 33) << outcome;
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
}

TEST_F(Run, IsOverWithItsCommandWhenItIsKilled) {
  auto running = start_sh("setsid sh -c 'echo $$ > $T/left; exec sleep 300' & exec sleep 300");
  ASSERT_TRUE(wait_until([this] { return !pid_in("left").empty(); }));
  running.signal(SIGKILL);
  EXPECT_EQ(running.wait().code, 137);
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_FALSE(lives(pid_in("pid")));
  EXPECT_FALSE(lives(pid_in("left")));
}

TEST_F(Run, IsOverWhenSomebodyElseReleasesIt) {
  auto running = start_sh("exec sleep 300");
  EXPECT_EQ(world.wtpool({"release", "x"}).code, 0);
  const auto outcome = running.wait();
  EXPECT_EQ(outcome.code, 125) << outcome;
  EXPECT_TRUE(outcome.err.find("cannot go on in slot-0: ") != std::string::npos) << outcome;
  EXPECT_FALSE(lives(pid_in("pid")));
}

TEST_F(Run, OfTheSameKeyGoesOnWhenTheOtherEnds) {
  world.environment["T"] = world.dir().string();
  const auto start = [this](const std::string& script) {
    return world.start_wtpool({"run", "x", "--key", "job-7", "--", "sh", "-c", script});
  };
  auto first = start("echo 1 > $T/first; until [ -e $T/end ]; do sleep 0.05; done");
  ASSERT_TRUE(wait_until([this] { return !pid_in("first").empty(); })) << first.err_so_far();
  auto second = start("echo more >> README.md; echo $$ > $T/pid; until [ -e $T/go ]; do sleep 0.05; done; exit 6");
  ASSERT_TRUE(wait_until([this] { return !pid_in("pid").empty(); })) << second.err_so_far();
  write_text(world.dir() / "end", "end");
  EXPECT_EQ(first.wait().code, 0);
  EXPECT_EQ(world.slot("slot-0")["state"], "held");
  EXPECT_TRUE(lives(pid_in("pid")));
  EXPECT_EQ(git(world.root() / "app/slot-0", {"diff", "--name-only"}), "README.md");
  write_text(world.dir() / "go", "go");
  const auto outcome = second.wait();
  EXPECT_EQ(outcome.code, 6) << outcome;
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_EQ(world.json_of({"trash", "ls"}).size(), 1u);
}

TEST_F(Run, OutlivesARestartOfTheDaemon) {
  auto running = start_sh("until [ -e $T/go ]; do sleep 0.05; done; exit 6");
  world.kill_daemon();
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "held"));
  EXPECT_TRUE(wait_until([this] { return world.slot("slot-0")["lease"]["expires_at"].is_null(); }));
  write_text(world.dir() / "go", "go");
  const auto outcome = running.wait();
  EXPECT_EQ(outcome.code, 6) << outcome;
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
}

TEST_F(Run, OutlivesARestartAfterWhichItsPoolCannotBeReadForAMoment) {
  auto running = start_sh("until [ -e $T/go ]; do sleep 0.05; done; exit 6");
  const auto config = world.root() / "app/.meta/config.yaml";
  const auto good = read_text(config);
  const auto stays_alive = [&] { return !wait_until([&] { return !lives(pid_in("pid")); }, 1s); };
  world.kill_daemon();
  write_text(config, "max_slots: many\n");
  world.start_daemon();
  EXPECT_TRUE(stays_alive()) << "its config is bad";
  fs::remove(config);
  world.kill_daemon();
  world.start_daemon();
  EXPECT_TRUE(stays_alive()) << "it is not there, as on a disk that is not mounted yet";
  write_text(config, good);
  EXPECT_TRUE(wait_until([this] {
    const auto slot = world.slot("slot-0");
    return slot["state"] == "held" && slot["lease"]["expires_at"].is_null();
  }));
  write_text(world.dir() / "go", "go");
  const auto outcome = running.wait();
  EXPECT_EQ(outcome.code, 6) << outcome;
  EXPECT_EQ(outcome.err, "");
}

TEST_F(Run, OutlivesADaemonThatIsToldToEnd) {
  auto running = start_sh("until [ -e $T/go ]; do sleep 0.05; done; exit 6");
  world.stop_daemon();
  EXPECT_TRUE(lives(pid_in("pid")));
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "held"));
  EXPECT_TRUE(wait_until([this] { return world.slot("slot-0")["lease"]["expires_at"].is_null(); }));
  write_text(world.dir() / "go", "go");
  const auto outcome = running.wait();
  EXPECT_EQ(outcome.code, 6) << outcome;
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
}

TEST_F(Run, OutlivesADaemonThatLeavesAtOnce) {
  auto running = start_sh("until [ -e $T/go ]; do sleep 0.05; done; exit 6");
  Wire unconfirmed(world.socket());  // what a daemon that drains waits for
  ASSERT_TRUE(unconfirmed.call("slot.acquire", {{"pool", "app"}, {"name", "y"}, {"confirm", true}}).contains("result"));
  world.daemon().signal(SIGTERM);
  ASSERT_TRUE(wait_until([this] { return world.wtpool({"acquire", "z"}).err.find("shutting down") != std::string::npos; }));
  world.daemon().signal(SIGTERM);
  world.daemon().wait();
  EXPECT_TRUE(lives(pid_in("pid")));
  world.start_daemon();
  EXPECT_TRUE(wait_until([this] { return world.slot("slot-0")["lease"]["expires_at"].is_null(); }));
  write_text(world.dir() / "go", "go");
  EXPECT_EQ(running.wait().code, 6);
}

TEST_F(Run, ReleasesWhenTheCommandEndedWhileTheDaemonWasAway) {
  auto running = start_sh("until [ -e $T/go ]; do sleep 0.05; done; exit 6");
  world.kill_daemon();
  write_text(world.dir() / "go", "go");
  ASSERT_TRUE(wait_until([this] { return !lives(pid_in("pid")); }));
  EXPECT_TRUE(running.running());
  world.start_daemon();
  EXPECT_EQ(running.wait().code, 6);
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
}

}  // namespace
}  // namespace wtpool::test
