// The log as somebody reads it who asks who took a slot and why it is gone.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <sstream>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

class Logs : public ::testing::Test {
 protected:
  Logs() {
    world.start_daemon();
    world.init(repo, {"--max-slots", "2"});
  }
  std::string logs(std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.begin(), "logs");
    const auto outcome = world.wtpool(std::move(arguments));
    EXPECT_EQ(outcome.code, 0) << outcome;
    return outcome.out;
  }
  // The one line with all of these words.
  std::string the_line(const std::vector<std::string>& words, const std::vector<std::string>& arguments = {}) const {
    std::string found;
    int times = 0;
    for (const auto& line : lines_of(logs(arguments))) {
      if (!std::ranges::all_of(words, [&line](const auto& word) { return line.find(word) != std::string::npos; })) continue;
      found = line;
      ++times;
    }
    EXPECT_EQ(times, 1) << ::testing::PrintToString(words) << "\n" << logs();
    return found;
  }

  World world;
  Repo repo = world.make_repo();
};

TEST_F(Logs, HaveOneLineOfEachDecisionWithWhoAskedAndHowLongItTook) {
  const json lease = world.json_of({"acquire", "x"});
  const auto acquired = the_line({"slot.acquire ", "slot=slot-0", "name=x"});
  EXPECT_NE(acquired.find("lease=" + lease["lease_id"].get<std::string>()), std::string::npos) << acquired;
  EXPECT_NE(acquired.find("commit=" + lease["full_sha"].get<std::string>()), std::string::npos) << acquired;
  EXPECT_NE(acquired.find(" way=checkout"), std::string::npos) << acquired;
  EXPECT_NE(acquired.find(" ms="), std::string::npos) << acquired;
  EXPECT_NE(acquired.find(" pid="), std::string::npos) << acquired;
  EXPECT_NE(acquired.find(" program=wtpool"), std::string::npos) << acquired;
  EXPECT_EQ(world.wtpool({"acquire", "x"}).code, 6);
  const auto refused = the_line({"slot.acquire refused", "name=x"});
  EXPECT_NE(refused.find("exit=6"), std::string::npos) << refused;
  EXPECT_NE(refused.find("kind=name_held"), std::string::npos) << refused;
  write_text(fs::path(lease["path"].get<std::string>()) / "README.md", "changed\n");
  world.release("x");
  (void)the_line({"slot.release ", "ms="});
  (void)the_line({" released ", "slot=slot-0", "name=x"});
  (void)the_line({" trash_saved ", "slot=slot-0"});
  (void)the_line({" recycled ", "slot=slot-0"});
  (void)world.wtpool({"ls"});
  EXPECT_EQ(logs().find("slot.list"), std::string::npos) << "reports are no decisions";
  EXPECT_EQ(logs().find("slot.confirm"), std::string::npos) << "the acquire said it";
}

TEST_F(Logs, AreReadOfOneSlotOneNameAndTheLastHours) {
  world.acquire("x");
  world.acquire("y");
  for (const auto& line : lines_of(logs({"--slot", "slot-1"}))) EXPECT_NE(line.find("slot-1"), std::string::npos) << line;
  (void)the_line({"slot.acquire ", "name=y"}, {"--slot", "slot-1"});
  for (const auto& line : lines_of(logs({"--name", "x"}))) EXPECT_NE(line.find("name=x"), std::string::npos) << line;
  (void)the_line({"slot.acquire ", "slot-0"}, {"--name", "x"});
  EXPECT_NE(logs({"--since", "1h"}).find("slot.acquire "), std::string::npos);
  // A line of yesterday.
  const fs::path file = world.state() / "wtpoold.log";
  write_text(world.state() / "wtpoold.1.log", "2020-01-01T00:00:00.000Z info slot.acquire pool=app slot=slot-9 name=old\n");
  EXPECT_NE(logs().find("slot-9"), std::string::npos);
  EXPECT_EQ(logs({"--since", "1d"}).find("slot-9"), std::string::npos);
  const json line = json::parse(lines_of(logs({"--slot", "slot-9", "--json"})).at(0));
  EXPECT_EQ(line["time"], "2020-01-01T00:00:00.000Z");
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["message"], "slot.acquire pool=app slot=slot-9 name=old");
  EXPECT_EQ(keys_of(line), (std::vector<std::string>{"level", "message", "time"}));
  EXPECT_EQ(world.wtpool({"logs", "--since", "soon"}).code, 2);
}

TEST_F(Logs, GoOnWithFollow) {
  const fs::path said = world.dir() / "said";
  Process follower({.argv = {"sh", "-c", "exec wtpool logs -f --name later > '" + said.string() + "'"},
                    .environment =
                        [&] {
                          auto environment = world.environment;
                          environment["PATH"] = std::string(WTPOOL_BIN_DIR) + ":" + environment["PATH"];
                          return environment;
                        }(),
                    .directory = world.dir()});
  world.acquire("other");
  world.acquire("later");
  EXPECT_TRUE(wait_until([&] { return read_text(said).find("name=later") != std::string::npos; }));
  EXPECT_EQ(read_text(said).find("name=other"), std::string::npos);
  follower.signal(SIGINT);
  EXPECT_EQ(follower.wait().code, 128 + SIGINT);
}

TEST_F(Logs, NeedNoDaemon) {
  world.acquire("x");
  world.stop_daemon();
  world.environment["WTPOOL_NO_SPAWN"] = "1";
  (void)the_line({"slot.acquire ", "name=x"});
}

TEST_F(Logs, KeepOneLineALineWhateverANameHolds) {
  (void)world.wtpool({"acquire", "x\nslot.acquire pool=app slot=slot-0 name=forged"});
  for (const auto& line : lines_of(logs()))
    EXPECT_FALSE(line.starts_with("slot.acquire")) << "a line begins with its time: " << line;
}

}  // namespace
}  // namespace wtpool::test
