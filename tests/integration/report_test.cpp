#include <gtest/gtest.h>

#include <regex>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

using Keys = std::vector<std::string>;
const Keys kSlotKeys = {"branch", "full_sha", "git",    "group",    "held_seconds", "lease",      "name", "path",
                        "pool",   "reason",   "sealed", "sessions", "slot",         "started_at", "state"};
const std::regex kTime(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)");

class Report : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo, {"--max-slots", "3"});
  }
  World world;
  Repo repo = world.make_repo();
};

TEST_F(Report, LsShowsAFreshElementForEachSlotNotMadeYet) {
  const auto slots = world.json_of({"ls"});
  ASSERT_EQ(slots.size(), 3u);
  for (std::size_t number = 0; number < 3; ++number) {
    const auto& slot = slots[number];
    EXPECT_EQ(keys_of(slot), kSlotKeys);
    EXPECT_EQ(slot["pool"], "app");
    EXPECT_EQ(slot["slot"], "slot-" + std::to_string(number));
    EXPECT_EQ(slot["path"], (world.root() / "app" / ("slot-" + std::to_string(number))).string());
    EXPECT_EQ(slot["state"], "fresh");
    EXPECT_EQ(slot["sealed"], false);
    for (const auto* key : {"group", "name", "branch", "full_sha", "started_at", "held_seconds", "reason", "lease", "git"}) {
      EXPECT_TRUE(slot[key].is_null()) << key;
    }
  }
}

TEST_F(Report, LsShowsHeldAndIdleSlots) {
  world.acquire("x");
  world.acquire("y");
  world.release("y");
  const auto held = world.slot("slot-0");
  EXPECT_EQ(keys_of(held), kSlotKeys);
  EXPECT_EQ(held["state"], "held");
  EXPECT_EQ(held["name"], "x");
  EXPECT_EQ(held["branch"], "x");
  EXPECT_EQ(held["full_sha"], repo.head());
  EXPECT_TRUE(std::regex_match(held["started_at"].get<std::string>(), kTime)) << held["started_at"];
  EXPECT_TRUE(held["held_seconds"].is_number());
  EXPECT_TRUE(held["sealed"].is_boolean());
  EXPECT_TRUE(held["git"].is_null());
  ASSERT_TRUE(held["lease"].is_object());
  EXPECT_EQ(keys_of(held["lease"]), (Keys{"expires_at", "id", "kind", "owner_pid", "ttl_seconds"}));
  EXPECT_EQ(held["lease"]["kind"], "durable");
  EXPECT_TRUE(held["lease"]["ttl_seconds"].is_null());
  EXPECT_TRUE(held["lease"]["expires_at"].is_null());

  const auto idle = world.slot("slot-1");
  EXPECT_EQ(idle["state"], "idle");
  EXPECT_TRUE(idle["lease"].is_null());
  EXPECT_TRUE(idle["name"].is_null());
  EXPECT_TRUE(idle["branch"].is_null());
}

TEST_F(Report, GitStatusIsShownWhenAskedFor) {
  const auto slot = world.acquire("x");
  Repo(slot).commit("a.txt", "a");
  write_text(slot / "README.md", "dirt");
  write_text(slot / "one.txt", "");
  write_text(slot / "two.txt", "");
  for (const auto& element : world.json_of({"ls", "--git-status"})) {
    if (element["slot"] != "slot-0") {
      EXPECT_TRUE(element["git"].is_null()) << element;
      continue;
    }
    ASSERT_TRUE(element["git"].is_object());
    EXPECT_EQ(keys_of(element["git"]), (Keys{"ahead", "behind", "dirty", "merged", "operation", "untracked"}));
    EXPECT_EQ(element["git"]["dirty"], 1);
    EXPECT_EQ(element["git"]["untracked"], 2);
    EXPECT_EQ(element["git"]["ahead"], 1);
  }
}

TEST_F(Report, LsIsATableForPeople) {
  world.acquire("feature-x");
  const auto outcome = world.wtpool({"ls"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  for (const auto* word : {"slot-0", "feature-x", "held", "slot-1", "fresh"})
    EXPECT_NE(outcome.out.find(word), std::string::npos) << word;
  EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos) << "no colours into a file";
}

TEST_F(Report, InspectIsOneElementOfLs) {
  world.acquire("x");
  for (const auto* target : {"x", "slot-0"}) {
    const auto element = world.json_of({"inspect", target});
    EXPECT_EQ(keys_of(element), kSlotKeys);
    EXPECT_EQ(element["slot"], "slot-0");
    EXPECT_EQ(element["name"], "x");
  }
  EXPECT_EQ(world.json_of({"inspect", "slot-2"})["state"], "fresh");
  EXPECT_NE(world.wtpool({"inspect", "nobody"}).code, 0);
}

TEST_F(Report, PathIsOneLineOrSilence) {
  const auto slot = world.acquire("x");
  for (const auto* target : {"x", "slot-0"}) {
    const auto outcome = world.wtpool({"path", target});
    EXPECT_EQ(outcome.code, 0) << outcome;
    EXPECT_EQ(outcome.out, slot.string() + "\n");
  }
  world.release("x");
  for (const auto* target : {"x", "slot-0", "slot-1", "slot-99", "never"}) {
    const auto outcome = world.wtpool({"path", target});
    EXPECT_EQ(outcome.code, 1) << target << outcome;
    EXPECT_EQ(outcome.out + outcome.err, "") << target;
  }
}

TEST_F(Report, PoolsCountsSlotsByState) {
  world.acquire("x");
  const auto pools = world.json_of({"pools"});
  ASSERT_EQ(pools.size(), 1u);
  EXPECT_EQ(keys_of(pools[0]),
            (Keys{"available", "fetched_at", "groups", "managed", "max_slots", "pool", "slots", "source", "url"}));
  EXPECT_EQ(pools[0]["source"], repo.path().string());
  EXPECT_EQ(pools[0]["max_slots"], 3);
  EXPECT_EQ(pools[0]["available"], true);
  EXPECT_EQ(pools[0]["slots"]["held"], 1);
  EXPECT_EQ(pools[0]["slots"]["fresh"], 2);
}

TEST_F(Report, StatusIsTheDaemons) {
  const auto status = world.json_of({"status"});
  EXPECT_EQ(keys_of(status), (Keys{"clients", "pid", "pools", "queue", "root", "socket", "uptime_seconds", "version"}));
  EXPECT_EQ(status["pid"], world.daemon().pid());
  EXPECT_EQ(status["socket"], world.socket().string());
  EXPECT_EQ(status["root"], world.root().string());
  EXPECT_GE(status["clients"].get<int>(), 1);
  EXPECT_EQ(status["queue"], 0);
  EXPECT_EQ(status["pools"].size(), 1u);
}

TEST_F(Report, DoctorSaysWhatItLookedAt) {
  for (const bool with_daemon : {true, false}) {
    if (!with_daemon) world.stop_daemon();
    const auto outcome = world.wtpool({"--json", "doctor"});
    const auto report = json::parse(outcome.out, nullptr, false);
    ASSERT_TRUE(report.is_object()) << outcome;
    EXPECT_EQ(keys_of(report), (Keys{"checks", "ok"}));
    EXPECT_FALSE(report["checks"].empty());
    for (const auto& check : report["checks"]) {
      EXPECT_EQ(keys_of(check), (Keys{"detail", "hint", "name", "status"}));
      EXPECT_TRUE(check["status"] == "ok" || check["status"] == "warn" || check["status"] == "error") << check;
      EXPECT_FALSE(with_daemon && check["status"] == "error") << check;
    }
    EXPECT_EQ(outcome.code == 0, report["ok"].get<bool>()) << outcome;
  }
}

TEST_F(Report, UnstickTellsWhoHoldsWhatAndWorksWithoutADaemon) {
  world.acquire("x");
  EXPECT_EQ(world.wtpool({"unstick"}).code, 0);
  EXPECT_EQ(world.wtpool({"unstick", "--slot", "slot-0"}).code, 0);
  EXPECT_EQ(world.state_of("slot-0"), "held");
  world.stop_daemon();
  EXPECT_EQ(world.wtpool({"--pool", "app", "unstick"}).code, 0);
}

TEST_F(Report, ValidateGitmodulesFindsMisspeltKeys) {
  const std::string module = "[submodule \"lib\"]\n\tpath = lib\n\turl = https://localhost/lib.git\n\tworktreepooltag = good\n";
  write_text(repo.path() / ".gitmodules", module);
  const auto good = world.wtpool({"validate-gitmodules"}, {.directory = repo.path()});
  EXPECT_EQ(good.code, 0) << good;
  write_text(repo.path() / ".gitmodules", module + "\tworktreePoolTags = bad\n");
  for (const bool with_daemon : {true, false}) {
    if (!with_daemon) world.stop_daemon();
    const auto bad = world.wtpool({"validate-gitmodules"}, {.directory = repo.path() / "src"});
    EXPECT_EQ(bad.code, 1) << bad;
    EXPECT_NE((bad.out + bad.err).find("worktreePoolTag"), std::string::npos) << bad;
    EXPECT_NE((bad.out + bad.err).find("lib"), std::string::npos) << bad;
  }
}

// Which pool, when none is named.
class WhichPool : public Report {
 protected:
  void SetUp() override {
    Report::SetUp();
    other = world.make_repo("other");
    world.init(*other, {"--max-slots", "2"});
  }
  [[nodiscard]] std::string pool_seen(const World::Options& options) const {
    const auto outcome = world.wtpool({"--json", "ls"}, options);
    const auto slots = json::parse(outcome.out, nullptr, false);
    return slots.is_array() && !slots.empty() ? slots[0].value("pool", "")
                                              : "exit " + std::to_string(outcome.code) + outcome.err;
  }
  std::optional<Repo> other;
};

TEST_F(WhichPool, IsTheOneWhoseSourceHoldsTheCurrentDirectory) {
  EXPECT_EQ(pool_seen({.directory = repo.path()}), "app");
  EXPECT_EQ(pool_seen({.directory = repo.path() / "src"}), "app");
  EXPECT_EQ(pool_seen({.directory = other->path()}), "other");
}

TEST_F(WhichPool, IsTheOneWhoseSlotHoldsTheCurrentDirectory) {
  const auto slot = trimmed(world.wtpool({"--pool", "other", "acquire", "x"}).out);
  EXPECT_EQ(pool_seen({.directory = fs::path(slot) / "src"}), "other");
}

TEST_F(WhichPool, IsTheOneInTheEnvironmentBeforeTheDirectory) {
  EXPECT_EQ(pool_seen({.directory = repo.path(), .environment = {{"WTPOOL_POOL", "other"}}}), "other");
}

TEST_F(WhichPool, IsAnErrorThatListsThemElsewhere) {
  const auto outcome = world.wtpool({"acquire", "x"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.err.find("app"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find("other"), std::string::npos) << outcome;
}

TEST_F(WhichPool, ThatIsNotThereIsSaid) {
  const auto outcome = world.wtpool({"--pool", "nowhere", "acquire", "x"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.err.find("nowhere"), std::string::npos) << outcome;
}

TEST(CommandLine, WrongUsageIsTwoAndHelpIsZero) {
  World world;
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {}, {"no-such-verb"}, {"acquire"}, {"acquire", "a", "b"}, {"--no-such-flag", "ls"}, {"ls", "--no-such-flag"}}) {
    const auto outcome = world.wtpool(arguments);
    EXPECT_EQ(outcome.code, 2) << outcome;
    EXPECT_EQ(outcome.out, "");
  }
  const auto help = world.wtpool({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const auto* verb :
       {"init", "acquire", "release", "ls", "inspect", "path", "pools", "remove", "repair", "status", "doctor"}) {
    EXPECT_NE(help.out.find(verb), std::string::npos) << verb;
  }
  EXPECT_EQ(world.wtpool({"--version"}).code, 0);
  EXPECT_EQ(world.wtpool({"acquire", "--help"}).code, 0);
}

}  // namespace
}  // namespace wtpool::test
