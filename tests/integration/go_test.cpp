// `wtpool go`: sessions in a durable lease, and what becomes of it when the last has ended.
#include <gtest/gtest.h>
#include <signal.h>

#include <sstream>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Go : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo, {"--max-slots", "2"});
    world.environment["T"] = world.dir().string();
  }
  [[nodiscard]] Outcome go_sh(const std::string& script, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"go", "x"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.insert(arguments.end(), {"--", "sh", "-c", script});
    return world.wtpool(arguments);
  }
  [[nodiscard]] Process start_sh(const std::string& file, const std::string& script) {
    auto process = world.start_wtpool({"go", "x", "--", "sh", "-c", "echo $$ > $T/" + file + "; " + script});
    EXPECT_TRUE(wait_until([&] { return !read_text(world.dir() / file).empty(); })) << process.err_so_far();
    return process;
  }

  World world;
  Repo repo = world.make_repo();
  static constexpr const char* kCommit =
      "echo w > w; git add w; git -c user.name=A -c user.email=a@example.invalid commit -qm w";
};

TEST_F(Go, RunsInTheSlotWithTheCommandsExitCodeAndReleasesWhatIsFinished) {
  const auto outcome = go_sh("pwd; git symbolic-ref --short HEAD; echo $WTPOOL_SLOT $WTPOOL_NAME; exit 7");
  EXPECT_EQ(outcome.code, 7) << outcome;
  EXPECT_EQ(outcome.out, (world.root() / "app/slot-0").string() + "\nx\nslot-0 x\n");
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle")) << "nothing was done in it";
}

TEST_F(Go, StaysWhileItsWorkIsNotInTheTargetAndGoesOnWithIt) {
  EXPECT_EQ(go_sh(kCommit).code, 0);
  EXPECT_TRUE(wait_until([this] { return world.slot("slot-0")["sessions"] == 0; }));
  EXPECT_EQ(go_sh("git log -1 --format=%s").out, "w\n");
  EXPECT_EQ(world.state_of("slot-0"), "held");
  repo.git({"merge", "-q", "--squash", "x"});
  repo.git({"commit", "-qm", "squash"});
  EXPECT_EQ(go_sh("true").code, 0);
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
}

TEST_F(Go, KeepsItsLeaseWhenToldTo) {
  EXPECT_EQ(go_sh("true", {"--keep"}).code, 0);
  EXPECT_TRUE(wait_until([this] { return world.slot("slot-0")["sessions"] == 0; }));
  EXPECT_EQ(world.state_of("slot-0"), "held");
}

TEST_F(Go, TwoSessionsOfOneLeaseEndItTogether) {
  auto first = start_sh("one", "sleep 300");
  auto second = start_sh("two", "sleep 300");
  EXPECT_EQ(world.slot("slot-0")["sessions"], 2);
  EXPECT_EQ(world.json_of({"sweep", "--dry-run", "--min-age", "0"})[0]["class"], "busy");
  first.signal(SIGTERM);
  EXPECT_EQ(first.wait().code, 128 + SIGTERM);
  EXPECT_TRUE(wait_until([this] { return world.slot("slot-0")["sessions"] == 1; }));
  EXPECT_EQ(world.state_of("slot-0"), "held");
  second.signal(SIGTERM);
  second.wait();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
}

TEST_F(Go, AKilledClientLeavesItsCommandAndTheLeaseWithIt) {
  auto session = start_sh("pid", "sleep 300");
  const auto pid = std::stoi(trimmed(read_text(world.dir() / "pid")));
  session.signal(SIGKILL);
  session.wait();
  EXPECT_TRUE(wait_until([this] { return world.slot("slot-0")["sessions"] == 0; }));
  EXPECT_EQ(::kill(pid, 0), 0) << "its command lives on";
  EXPECT_EQ(world.json_of({"sweep", "--dry-run", "--min-age", "0"})[0]["class"], "busy");
  ::kill(-pid, SIGKILL);
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle")) << "the daemon looks again";
}

TEST_F(Go, ARestartOfTheDaemonEndsNoSession) {
  auto session = start_sh("pid", "sleep 300");
  world.kill_daemon();
  world.start_daemon();
  EXPECT_TRUE(wait_until([this] { return world.slot("slot-0")["sessions"] == 1; })) << "it attaches again by itself";
  session.signal(SIGTERM);
  EXPECT_EQ(session.wait().code, 128 + SIGTERM);
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
}

TEST_F(Go, SaysAttachedAndDetached) {
  world.environment["WTPOOL"] = std::string(WTPOOL_BIN_DIR) + "/wtpool";
  Process watching(
      {.argv = {"sh", "-c", "exec \"$WTPOOL\" watch > events"}, .environment = world.environment, .directory = world.dir()});
  const auto says = [this](const std::string& word) {
    return wait_until([&] { return read_text(world.dir() / "events").find(word) != std::string::npos; });
  };
  EXPECT_TRUE(says("{")) << watching.err_so_far();
  EXPECT_EQ(go_sh("true").code, 0);
  EXPECT_TRUE(says("\"attached\""));
  EXPECT_TRUE(says("\"detached\""));
}

TEST_F(Go, WithoutACommandOrATerminalIsWrongUsage) {
  EXPECT_EQ(world.wtpool({"go", "x"}).code, 2);
  EXPECT_EQ(world.wtpool({"go"}).code, 2);
  EXPECT_EQ(world.state_of("slot-0"), "fresh");
}

TEST_F(Go, FailsWith125BeforeItsCommandAndSaysTheCode) {
  const auto refused = world.wtpool({"go", "main", "--", "true"});
  EXPECT_EQ(refused.code, 125) << refused;
  EXPECT_NE(refused.err.find("exit code 9"), std::string::npos) << refused;
  EXPECT_EQ(world.wtpool({"go", "x", "--", "no-such-program"}).code, 127);
}

class Agents : public Go {
 protected:
  [[nodiscard]] Outcome agent(const std::string& verb, const std::string& json_text) const {
    return run({.argv = {std::string(WTPOOL_BIN_DIR) + "/wtpool", "agent", verb},
                .environment = world.environment,
                .directory = world.dir(),
                .input = json_text});
  }
};

TEST_F(Agents, CreateAndRemoveAsClaudeCodeSaysIt) {
  const std::string who = R"("session_id":"s1","cwd":")" + repo.path().string() + "\"";
  const auto made = agent("create", R"({"hook_event_name":"WorktreeCreate","name":"fix it",)" + who + "}");
  EXPECT_EQ(made.code, 0) << made;
  const auto slot = world.root() / "app/slot-0";
  EXPECT_EQ(made.out, slot.string() + "\n");
  EXPECT_TRUE(repo.has_branch("fix-it"));
  EXPECT_EQ(agent("create", R"({"worktree_name":"fix it",)" + who + "}").out, made.out) << "again is the same slot";

  const auto path = [](const std::string& text) { return R"("worktree_path":")" + text + "\""; };
  for (const auto& nothing : {path("relative"), path("/nowhere/at/all"), path(repo.path().string()), std::string("\"x\":1")}) {
    EXPECT_EQ(agent("remove", "{" + nothing + "}").code, 0) << nothing;
  }
  EXPECT_EQ(agent("remove", R"({"session_id":"s2",)" + path(slot.string()) + "}").code, 0);
  EXPECT_EQ(world.state_of("slot-0"), "held") << "it is another session's";
  write_text(slot / "README.md", "work\n");
  EXPECT_EQ(agent("remove", R"({"session_id":"s1",)" + path((slot / "src").string()) + "}").code, 0);
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_FALSE(repo.trash_refs().empty()) << "its work is kept";
  EXPECT_EQ(agent("remove", R"({"session_id":"s1",)" + path(slot.string()) + "}").code, 0) << "again is done already";
}

TEST_F(Agents, RemoveTouchesNoLeaseThatNoAgentMade) {
  const auto slot = world.acquire("mine");
  EXPECT_EQ(agent("remove", R"({"worktree_path":")" + slot.string() + "\"}").code, 0);
  EXPECT_EQ(world.state_of("slot-0"), "held");
}

TEST_F(Agents, InstallAddsTwoHooksAndUninstallTakesThemOut) {
  const auto file = repo.path() / ".claude/settings.json";
  fs::create_directories(file.parent_path());
  write_text(file, R"({"model":"opus","hooks":{"Stop":[]}})");
  const auto in_repo = [this](std::vector<std::string> arguments) {
    return world.wtpool(std::move(arguments), {.directory = repo.path()});
  };
  EXPECT_EQ(in_repo({"agent", "install", "claude", "--dry-run"}).code, 0);
  EXPECT_EQ(read_text(file), R"({"model":"opus","hooks":{"Stop":[]}})");
  const auto installed = in_repo({"agent", "install", "claude"});
  EXPECT_EQ(installed.code, 0) << installed;
  EXPECT_NE(installed.err.find("+"), std::string::npos) << "it shows the difference";
  const auto settings = json::parse(read_text(file));
  EXPECT_EQ(settings["model"], "opus");
  EXPECT_EQ(settings["hooks"]["WorktreeCreate"][0]["hooks"][0]["command"], "wtpool agent create");
  EXPECT_EQ(read_text(file.string() + ".wtpool-bak"), R"({"model":"opus","hooks":{"Stop":[]}})");
  EXPECT_EQ(in_repo({"agent", "uninstall", "claude"}).code, 0);
  EXPECT_EQ(json::parse(read_text(file)), json::parse(R"({"model":"opus","hooks":{"Stop":[]}})"));
}

TEST_F(Agents, AnMcpClientTakesAndGivesBackASlot) {
  const auto call = [](int id, const std::string& tool, const std::string& arguments) {
    return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":"tools/call","params":{"name":")" + tool +
           R"(","arguments":)" + arguments + "}}\n";
  };
  const auto talk = [this](const std::string& input) {
    const auto said = run({.argv = {std::string(WTPOOL_BIN_DIR) + "/wtpool", "mcp"},
                           .environment = world.environment,
                           .directory = repo.path(),
                           .input = input});
    EXPECT_EQ(said.code, 0) << said;
    std::map<int, json> answers;
    std::istringstream lines(said.out);
    for (std::string line; std::getline(lines, line);) {
      const auto answer = json::parse(line);
      answers[answer["id"].get<int>()] = answer;
    }
    return answers;
  };
  auto first =
      talk(R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}})"
           "\n"
           R"({"jsonrpc":"2.0","method":"notifications/initialized"})"
           "\n" +
           call(2, "acquire_worktree", R"({"name":"x"})"));
  EXPECT_EQ(first[1]["result"]["protocolVersion"], "2025-06-18");
  EXPECT_EQ(first[2]["result"]["structuredContent"]["path"], (world.root() / "app/slot-0").string()) << first[2];
  EXPECT_EQ(world.state_of("slot-0"), "held") << "an agent's end is no release";
  auto second = talk(call(1, "acquire_worktree", R"({"name":"x"})") + call(2, "list_worktrees", "{}"));
  EXPECT_EQ(second[1]["result"]["isError"], true);
  EXPECT_EQ(second[1]["result"]["structuredContent"]["kind"], "name_held") << second[1];
  EXPECT_EQ(second[2]["result"]["structuredContent"]["worktrees"][0]["name"], "x");
  write_text(world.root() / "app/slot-0/README.md", "work\n");
  auto third = talk(call(1, "diff_worktree", R"({"name":"x"})"));
  EXPECT_NE(third[1]["result"]["structuredContent"]["diff"].get<std::string>().find("+work"), std::string::npos) << third[1];
  auto fourth = talk(call(1, "release_worktree", R"({"name":"x"})"));
  EXPECT_FALSE(fourth[1]["result"].contains("isError")) << fourth[1];
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
}

}  // namespace
}  // namespace wtpool::test
