// Hints are pasted into a shell: here they are run as they are printed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Hints : public ::testing::Test {
 protected:
  static std::vector<std::string> hints_in(const std::string& text) {
    std::vector<std::string> found;
    for (const auto& line : lines_of(text)) {
      if (line.starts_with("hint: ")) found.push_back(line.substr(6));
    }
    return found;
  }
  [[nodiscard]] Outcome paste(const std::string& hint) const {
    auto variables = world.environment;
    variables["PATH"] = std::string(WTPOOL_BIN_DIR) + ":" + variables["PATH"];
    return run({.argv = {"sh", "-c", hint}, .environment = variables, .directory = world.dir()});
  }
  [[nodiscard]] json doctors_row(const std::string& name) const {
    const auto outcome = world.wtpool({"--json", "doctor"});
    const auto report = json::parse(outcome.out, nullptr, false);
    for (const auto& check : report.value("checks", json::array())) {
      if (check["name"] == name) return check;
    }
    ADD_FAILURE() << "no row " << name << ": " << outcome;
    return json::object();
  }
  World world;
};

TEST_F(Hints, OfASourceWithABlankInItsPathDoWhatTheySay) {
  const auto repo = world.make_repo("it's my repo");
  world.start_daemon();
  world.init(repo, {"--pool", "app"});
  const auto slot = world.acquire("x");
  const auto lock = repo.path() / ".git/config.lock";
  write_text(lock, "");
  const struct timespec old[2] = {{0, UTIME_OMIT}, {std::time(nullptr) - 60, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, lock.c_str(), old, AT_SYMLINK_NOFOLLOW), 0);
  write_text(gitdir_of(slot) / "index", "garbage");

  const auto found = world.wtpool({"doctor"});
  const auto hints = hints_in(found.out);
  EXPECT_EQ(hints.size(), 2u) << found;
  for (const auto& hint : hints) {
    const auto pasted = paste(hint);
    EXPECT_EQ(pasted.code, 0) << hint << "\n" << pasted;
  }
  EXPECT_FALSE(fs::exists(lock));
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  const auto after = world.wtpool({"doctor"});
  EXPECT_TRUE(hints_in(after.out).empty()) << after;
}

TEST_F(Hints, NameWhatIsHeldSoThatAShellReadsItAsItIs) {
  world.start_daemon();
  world.init(world.make_repo());
  for (const std::string name : {"it's", "a$HOME", "x$(touch${IFS}hit)", "a;b", "a&b", "a|b", "(a)", "a\"b", "!a", "#a"}) {
    world.acquire(name);
    const auto refused = world.wtpool({"acquire", name});
    EXPECT_EQ(refused.code, 6) << refused;
    const auto hints = hints_in(refused.err);
    ASSERT_EQ(hints.size(), 1u) << refused;
    const auto pasted = paste(hints.front().substr(0, hints.front().find(" (with ")));
    EXPECT_EQ(pasted.code, 0) << hints.front() << "\n" << pasted;
    EXPECT_EQ(pasted.out, world.wtpool({"path", name}).out) << name;
    world.release(name);
  }
  EXPECT_FALSE(fs::exists(world.dir() / "hit"));
}

TEST_F(Hints, NameAPoolSoThatAShellReadsItAsItIs) {
  const auto pool = world.root() / "it's a pool";
  fs::create_directories(pool / ".meta");
  write_text(pool / ".meta/config.yaml", "schema_version: 1\nsource: " + world.make_repo().path().string() + "\n");
  world.start_daemon();
  world.acquire("x");
  const auto refused = world.wtpool({"acquire", "x"});
  const auto hints = hints_in(refused.err);
  ASSERT_EQ(hints.size(), 1u) << refused;
  const auto command = hints.front().substr(0, hints.front().find(" (with "));
  EXPECT_EQ(command, "wtpool path x --pool 'it'\\''s a pool'");
  const auto pasted = paste(command);
  EXPECT_EQ(pasted.code, 0) << pasted;
}

TEST_F(Hints, WithControlCharactersDrawNothingOnATerminalAndAreExactInJson) {
  const auto repo = world.make_repo();
  const auto torn = repo.path() / ".git/worktrees/a\033[2J\nb";
  world.start_daemon();
  world.init(repo);
  fs::create_directories(torn);
  const auto shown = world.wtpool({"doctor"});
  EXPECT_EQ(shown.out.find('\033'), std::string::npos) << shown;
  EXPECT_EQ(hints_in(shown.out),
            std::vector<std::string>{"mv '" + repo.path().string() + "/.git/worktrees/a\\x1b[2J\\x0ab' ELSEWHERE"})
      << shown;
  const auto checks = json::parse(world.wtpool({"--json", "doctor"}).out).at("checks");
  const auto told = std::ranges::find_if(checks, [](const json& check) { return check["status"] == "error"; });
  ASSERT_NE(told, checks.end()) << checks;
  const auto pasted = paste((*told)["hint"]);
  EXPECT_EQ(pasted.code, 0) << pasted;
  EXPECT_FALSE(fs::exists(torn));
}

TEST_F(Hints, OfAPoolThatIsNotThereListThePoolsThatAre) {
  world.start_daemon();
  const auto none = world.wtpool({"--pool", "typo", "acquire", "x"});
  EXPECT_EQ(hints_in(none.err), std::vector<std::string>{"wtpool init --source REPO"}) << none;
  world.init(world.make_repo());
  const auto other = world.wtpool({"--pool", "typo", "acquire", "x"});
  EXPECT_EQ(hints_in(other.err), std::vector<std::string>{"wtpool pools"}) << other;
  EXPECT_EQ(paste("wtpool pools").code, 0);
}

TEST_F(Hints, OfAPoolsBadConfigSayWhereItIsAndWhatMayBeInIt) {
  world.start_daemon();
  world.init(world.make_repo());
  world.stop_daemon();
  const auto config = world.root() / "app/.meta/config.yaml";
  const auto good = read_text(config);
  write_text(config, good + "bogus: 1\n");
  const std::string hint = "correct " + config.string() + ", whose keys are in: man 8 wtpoold";
  for (const bool running : {false, true}) {
    if (running) world.start_daemon();
    const auto row = doctors_row("pool app");
    EXPECT_EQ(row["status"], "error") << row;
    EXPECT_NE(row["detail"].get<std::string>().find("unknown key 'bogus'"), std::string::npos) << row;
    EXPECT_EQ(row["hint"], hint) << row;
  }
  const auto refused = world.wtpool({"acquire", "x"});
  EXPECT_EQ(hints_in(refused.err), std::vector<std::string>{hint}) << refused;
  write_text(config, good);
  EXPECT_EQ(doctors_row("pool app")["status"], "ok");
}

TEST_F(Hints, OfACommitThatIsNotThereNameTheBranchThatARemoteHas) {
  const auto upstream = world.make_repo("upstream");
  upstream.git({"branch", "it's"});
  const auto clone = Repo::clone(world.dir() / "app", upstream);
  clone.git({"remote", "add", "aaa", upstream.path().string()});
  clone.git({"fetch", "-q", "aaa"});
  world.start_daemon();
  world.init(clone);
  const auto found = world.wtpool({"acquire", "x", "--commit", "it's"});
  EXPECT_EQ(found.code, 0) << found << "a branch that only the remote has is origin's";
  const auto nowhere = world.wtpool({"acquire", "y", "--commit", "nowhere"});
  EXPECT_TRUE(hints_in(nowhere.err).empty()) << nowhere;
  EXPECT_EQ(nowhere.code, 1) << nowhere;
}

TEST_F(Hints, AndRowsOfTheDoctorsCountTheSlotsOfAllGroups) {
  world.start_daemon();
  world.init(world.make_repo(), {"--max-slots", "2", "--groups", "ios,android"});
  const auto detail = doctors_row("pool app")["detail"].get<std::string>();
  EXPECT_NE(detail.find(", 4 slots; new ones are "), std::string::npos) << detail;
}

}  // namespace
}  // namespace wtpool::test
