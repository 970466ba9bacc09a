// A source that is not there for a while: unmounted, or renamed by hand. Its pool's slots cannot be judged by it.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class SourceAway : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo, {"--max-slots", "3"});
    held = world.acquire("held");
    idle = world.acquire("x");
    world.release("x");
  }
  void take_away() const { fs::rename(repo.path(), away()); }
  void bring_back() const { fs::rename(away(), repo.path()); }
  [[nodiscard]] fs::path away() const { return repo.path().string() + ".away"; }
  void expect_as_before() {
    EXPECT_EQ(world.state_of("slot-0"), "held");
    EXPECT_EQ(world.state_of("slot-1"), "idle");
    EXPECT_TRUE(world.wait_for_state("slot-1", "idle"));
    EXPECT_EQ(world.acquire("next"), idle);
    world.release("next");
    world.release("held");
    EXPECT_EQ(repo.complaint(), "");
  }
  World world;
  Repo repo = world.make_repo();
  fs::path held;
  fs::path idle;
};

TEST_F(SourceAway, NoSlotIsQuarantinedForIt) {
  take_away();
  // Each of these has the daemon read the slots back when its client has gone.
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(world.wtpool({"acquire", "y"}).code, 1);
    EXPECT_EQ(world.wtpool({"renew", "held", "--ttl", "1h"}).code, 1);
    EXPECT_EQ(world.wtpool({"release", "held", "--wait"}).code, 1);
    EXPECT_EQ(world.wtpool({"repair", "slot-1"}).code, 1);
    EXPECT_NE(world.wtpool({"doctor", "--repair"}).code, 0);
    EXPECT_EQ(world.state_of("slot-0"), "held");
    EXPECT_EQ(world.state_of("slot-1"), "idle");
  }
  EXPECT_TRUE(fs::exists(idle / "README.md"));
  EXPECT_FALSE(fs::exists(world.root() / "app/.meta/quarantine"));
  bring_back();
  expect_as_before();
}

TEST_F(SourceAway, AnEmptyDirectoryInItsPlaceIsNoSourceEither) {
  take_away();
  fs::create_directories(repo.path() / ".git");
  EXPECT_EQ(world.wtpool({"renew", "held", "--ttl", "1h"}).code, 1);
  const auto outcome = world.wtpool({"acquire", "y"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.err.find(repo.path().string()), std::string::npos) << outcome;
  fs::remove_all(repo.path());
  bring_back();
  expect_as_before();
}

TEST_F(SourceAway, ARecycleIsDoneWhenItIsBack) {
  write_text(held / "README.md", "work\n");
  world.stop_daemon();
  const auto held_up = world.dir() / "held-up";
  write_text(held_up, "");
  world.environment["WTPOOL_FAILPOINT"] = "recycle.begun:wait=" + held_up.string();
  world.start_daemon();
  Process waits = world.start_wtpool({"release", "held", "--wait"});
  ASSERT_TRUE(world.wait_for_state("slot-0", "recycling"));
  take_away();
  fs::remove(held_up);
  EXPECT_EQ(waits.wait().code, 1) << "whoever waits for it is told";
  EXPECT_EQ(world.state_of("slot-0"), "recycling");
  bring_back();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_EQ(repo.trash_refs().size(), 1u);
}

// Its slots may hold work that stands nowhere else.
TEST_F(SourceAway, WhenTheDaemonStartsNoHintEndangersWhatIsInTheSlots) {
  write_text(held / "notes.txt", "work\n");
  world.stop_daemon();
  take_away();
  for (const bool running : {false, true}) {
    if (running) world.start_daemon();
    for (const std::vector<std::string>& verb :
         {std::vector<std::string>{"release", "held"}, {"remove", "--pool", "app"}, {"doctor"}, {"doctor", "--repair"}}) {
      if (!running && verb.front() != "doctor") continue;
      const auto outcome = world.wtpool(verb);
      EXPECT_EQ(outcome.code, 1) << outcome;
      const std::string said = outcome.out + outcome.err;
      EXPECT_NE(said.find("there is no such directory"), std::string::npos) << outcome;
      EXPECT_NE(said.find("hint: put the repository back: the pool goes on as it was"), std::string::npos) << outcome;
      EXPECT_NE(said.find("lie untouched in " + (world.root() / "app").string()), std::string::npos) << outcome;
      EXPECT_EQ(said.find("rm -r"), std::string::npos) << outcome;
      EXPECT_EQ(said.find("top directory of a clone"), std::string::npos) << outcome;
    }
  }
  EXPECT_EQ(read_text(held / "notes.txt"), "work\n");
  bring_back();
  EXPECT_EQ(world.state_of("slot-0"), "held");
  EXPECT_EQ(world.state_of("slot-1"), "idle");
}

TEST_F(SourceAway, ForGoodItsPoolIsTakenAwayAsTheHintSaysAndTheWorkIsKept) {
  write_text(held / "notes.txt", "work\n");
  world.stop_daemon();
  take_away();
  world.start_daemon();
  const auto refused = world.wtpool({"remove", "--pool", "app"});
  EXPECT_NE(refused.err.find("git init " + repo.path().string() + " && wtpool remove --pool app"), std::string::npos)
      << refused;
  git(world.dir(), {"init", "-q", repo.path().string()});
  const auto outcome = world.wtpool({"remove", "--pool", "app"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_TRUE(world.json_of({"pools"}).empty());
  std::vector<std::string> kept;
  for (const auto& each : fs::recursive_directory_iterator(world.root() / "app/.meta/trash")) {
    if (each.path().filename() == "notes.txt") kept.push_back(read_text(each.path()));
  }
  EXPECT_EQ(kept, std::vector<std::string>{"work\n"});
}

TEST_F(SourceAway, IsToldOnceByARepair) {
  take_away();
  const auto outcome = world.wtpool({"doctor", "--repair"});
  std::size_t told = 0;
  for (const auto& line : lines_of(outcome.out)) told += line.starts_with("repair ") ? 1 : 0;
  EXPECT_EQ(told, 1u) << outcome;
  bring_back();
}

TEST_F(SourceAway, ItsPoolIsMissingFromAListOfAllWithAWarning) {
  world.init(world.make_repo("other"), {"--max-slots", "2"});
  world.stop_daemon();
  take_away();
  world.start_daemon();
  const auto outcome = world.wtpool({"--json", "ls"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  const auto list = json::parse(outcome.out, nullptr, false);
  ASSERT_EQ(list.size(), 2u) << outcome;
  EXPECT_EQ(list[0]["pool"], "other");
  EXPECT_NE(outcome.err.find("warning: pool 'app' is not listed: cannot open the source " + repo.path().string()),
            std::string::npos)
      << outcome;
  bring_back();
  const auto whole = world.wtpool({"--json", "ls"});
  EXPECT_EQ(whole.err, "");
  EXPECT_EQ(json::parse(whole.out, nullptr, false).size(), 5u) << whole;
}

TEST_F(SourceAway, AHostOfWhichNoPoolCanBeListedIsNotSaidToHaveNone) {
  const Repo other = world.make_repo("other");
  world.init(other);
  world.stop_daemon();
  take_away();
  fs::rename(other.path(), world.dir() / "gone");
  world.start_daemon();
  const auto outcome = world.wtpool({"ls"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("pool 'app' is not listed"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find("pool 'other' is not listed"), std::string::npos) << outcome;
  EXPECT_EQ(outcome.err.find("there is no pool yet"), std::string::npos) << outcome;
}

// Of an acquire that was under way: held at a step of it, or of its roll-back, while the source goes.
class SourceAwayInAnAcquire : public SourceAway {
 protected:
  void acquire_while_it_goes(const std::string& step) {
    world.stop_daemon();
    write_text(here(), "");
    world.environment["WTPOOL_FAILPOINT"] = step + ":wait=" + here().string() + "," + step + ":log=" + come().string();
    world.start_daemon();
    Process client = world.start_wtpool({"acquire", "y"});
    ASSERT_TRUE(wait_until([&] { return fs::exists(come()); })) << client.err_so_far();
    take_away();
    fs::remove(here());
    const auto outcome = client.wait();
    EXPECT_EQ(outcome.code, 1) << outcome;
    EXPECT_NE(outcome.err.find(repo.path().string()), std::string::npos) << outcome;
    bring_back();
  }
  [[nodiscard]] fs::path here() const { return world.dir() / "here"; }
  [[nodiscard]] fs::path come() const { return world.dir() / "come"; }
  void expect_nothing_of_it(const std::string& slot, const std::string& state) {
    EXPECT_TRUE(world.wait_for_state(slot, state)) << world.state_of(slot);
    EXPECT_FALSE(repo.has_branch("y"));
    EXPECT_FALSE(fs::exists(world.root() / "app/.meta/quarantine"));
  }
};

TEST_F(SourceAwayInAnAcquire, AnIdleSlotIsIdleAgain) {
  acquire_while_it_goes("acquire.marker-written");
  expect_nothing_of_it("slot-1", "idle");
  EXPECT_FALSE(fs::exists(marker_of(idle)));
  expect_as_before();
}

TEST_F(SourceAwayInAnAcquire, AFreshSlotIsFreshAgain) {
  world.acquire("third");
  acquire_while_it_goes("acquire.fresh-marker-written");
  expect_nothing_of_it("slot-2", "fresh");
  EXPECT_FALSE(fs::exists(world.root() / "app/slot-2"));
  EXPECT_FALSE(fs::exists(repo.path() / ".git/worktrees/slot-2"));
  world.release("third");
  expect_as_before();
}

TEST_F(SourceAwayInAnAcquire, ASlotThatWasPutBackInTimeIsIdle) {
  write_text(repo.path() / ".git/refs/heads/y/of-somebody.lock", "");
  acquire_while_it_goes("acquire.marker-gone");
  expect_nothing_of_it("slot-1", "idle");
  fs::remove_all(repo.path() / ".git/refs/heads/y");
  expect_as_before();
}

}  // namespace
}  // namespace wtpool::test
