// `run` and `ls --watch` on a real terminal, with a shell's job control around them.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

// An interactive shell in a terminal of its own.
class Terminal : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access("/usr/bin/tmux", X_OK) != 0) GTEST_SKIP() << "there is no tmux on this machine";
    world.start_daemon();
    world.init(repo, {"--max-slots", "2"});
    world.environment["TERM"] = "screen";
    world.environment["T"] = world.dir().string();
    world.environment["PS1"] = "ready> ";
    world.environment["PATH"] = std::string(WTPOOL_BIN_DIR) + ":" + world.environment["PATH"];
    const auto started = tmux({"new-session", "-d", "-x", "150", "-y", "40", "bash", "--norc", "--noprofile", "-i"});
    ASSERT_EQ(started.code, 0) << started;
    ASSERT_TRUE(shows("ready>"));
  }
  void TearDown() override {
    if (!IsSkipped()) tmux({"kill-server"});
  }
  Outcome tmux(std::vector<std::string> arguments) const {
    std::vector<std::string> argv = {"tmux", "-f", "/dev/null", "-S", (world.dir() / "tmux").string()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run({.argv = argv, .environment = world.environment, .directory = world.dir()});
  }
  void type(const std::string& line) const { tmux({"send-keys", "-l", line}), tmux({"send-keys", "Enter"}); }
  void press(const std::string& key) const { tmux({"send-keys", key}); }
  [[nodiscard]] std::string screen() const { return tmux({"capture-pane", "-p"}).out; }
  [[nodiscard]] bool shows(const std::string& text) const {
    const bool shown = wait_until([&] { return screen().find(text) != std::string::npos; });
    if (!shown) ADD_FAILURE() << "no '" << text << "' on\n" << screen();
    return shown;
  }
  // The command line has come back, after what it writes of the last one's exit code.
  [[nodiscard]] bool ends_with_code(int code) const {
    type("echo code=$?");
    return shows("code=" + std::to_string(code) + "\n");
  }
  [[nodiscard]] bool appears(const std::string& file) const {
    return wait_until([&] { return !read_text(world.dir() / file).empty(); });
  }
  [[nodiscard]] std::string process_state(const std::string& pid_file) const {
    const auto stat = read_text("/proc/" + trimmed(read_text(world.dir() / pid_file)) + "/stat");
    const auto name_end = stat.rfind(')');
    return name_end == std::string::npos ? "" : stat.substr(name_end + 2, 1);
  }
  [[nodiscard]] bool is_stopped(const std::string& pid_file) const {
    return wait_until([&] { return process_state(pid_file) == "T"; });
  }

  World world;
  Repo repo = world.make_repo();
};

TEST_F(Terminal, IsTheCommandsToReadFrom) {
  type("wtpool run x -- sh -c 'read line; echo got=$line'");
  type("hello");
  EXPECT_TRUE(shows("got=hello"));
  EXPECT_TRUE(ends_with_code(0));
}

TEST_F(Terminal, EndsTheCommandWithControlC) {
  type("wtpool run x -- sh -c 'echo $$ > $T/pid; exec sleep 300'");
  ASSERT_TRUE(appears("pid"));
  press("C-c");
  EXPECT_TRUE(ends_with_code(130));
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
}

TEST_F(Terminal, LeavesControlCToACommandThatHandlesIt) {
  type("wtpool run x -- sh -c 'trap \"exit 44\" INT; echo $$ > $T/pid; while :; do sleep 0.05; done'");
  ASSERT_TRUE(appears("pid"));
  press("C-c");
  EXPECT_TRUE(ends_with_code(44));
}

TEST_F(Terminal, GoesToTheShellWithControlZAndBackWithFg) {
  type("wtpool run x -- sh -c 'echo $$ > $T/pid; read line; echo got=$line'");
  ASSERT_TRUE(appears("pid"));
  press("C-z");
  ASSERT_TRUE(is_stopped("pid"));
  EXPECT_TRUE(shows("Stopped"));
  type("echo the shell is back");
  EXPECT_TRUE(shows("\nthe shell is back"));
  EXPECT_EQ(world.slot("slot-0")["state"], "held") << "a stopped command keeps its slot";
  type("fg");
  EXPECT_TRUE(wait_until([this] { return process_state("pid") == "S"; }));
  type("hello");
  EXPECT_TRUE(shows("got=hello"));
  EXPECT_TRUE(ends_with_code(0));
}

TEST_F(Terminal, StaysTheShellsInTheBackground) {
  type("wtpool run x -- sh -c 'echo $$ > $T/pid; read line; echo got=$line' &");
  ASSERT_TRUE(appears("pid"));
  EXPECT_TRUE(is_stopped("pid")) << "it read in the background";
  type("fg");
  EXPECT_TRUE(wait_until([this] { return process_state("pid") == "S"; }));
  type("hello");
  EXPECT_TRUE(shows("got=hello"));
}

TEST_F(Terminal, StopsAScriptAroundItAsWell) {
  type("sh -c 'wtpool run x -- sh -c \"echo \\$\\$ > $T/pid; exec sleep 300\"; echo after=$?'");
  ASSERT_TRUE(appears("pid"));
  press("C-z");
  ASSERT_TRUE(is_stopped("pid"));
  EXPECT_TRUE(shows("Stopped"));
  type("fg");
  EXPECT_TRUE(wait_until([this] { return process_state("pid") == "S"; }));
  press("C-c");
  EXPECT_TRUE(shows("after=130"));
}

TEST_F(Terminal, IsSharedInAPipelineUntilTheCommandAsks) {
  type("wtpool run x -- sh -c 'echo $$ > $T/pid; read line; echo got=$line' | cat");
  ASSERT_TRUE(appears("pid"));
  EXPECT_TRUE(wait_until([this] { return process_state("pid") == "S"; }));
  type("hello");
  EXPECT_TRUE(shows("got=hello"));
  type("wtpool run y -- sh -c 'echo $$ > $T/pid2; exec sleep 300' | cat");
  ASSERT_TRUE(appears("pid2"));
  press("C-c");
  type("echo again");
  EXPECT_TRUE(shows("\nagain"));
  EXPECT_TRUE(wait_until([this] { return process_state("pid2").empty(); }));
}

TEST_F(Terminal, ShowsThePlaceInTheQueue) {
  world.acquire("a");
  world.acquire("b");
  type("wtpool acquire x --wait");
  EXPECT_TRUE(shows("place 1 in the queue"));
  press("C-c");
  EXPECT_TRUE(ends_with_code(130));
}

TEST_F(Terminal, RedrawsTheTableAsItChanges) {
  type("wtpool ls --watch");
  EXPECT_TRUE(shows("fresh"));
  world.acquire("newcomer");
  EXPECT_TRUE(shows("newcomer"));
  world.release("newcomer");
  EXPECT_TRUE(wait_until([this] { return screen().find("newcomer") == std::string::npos; })) << "drawn over";
  press("C-c");
  EXPECT_TRUE(ends_with_code(130));
}

}  // namespace
}  // namespace wtpool::test
