// A git that hangs, floods, fails, is not there, or outlives its daemon.
#include "tests/faults/git_shim.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/faults/stage.hpp"
#include "tests/support/wire.hpp"

namespace wtpool::test {
namespace {

using Clock = std::chrono::steady_clock;

class ShimmedGit : public ::testing::Test {
 protected:
  void SetUp() override {
    stage.world.stop_daemon();
    shim.emplace(stage.world);
    stage.world.start_daemon();
  }
  void one_idle_slot() {
    ASSERT_EQ(stage.acquire("before"), 0);
    ASSERT_EQ(stage.release("before"), 0);
  }
  // One that git has to bring to the commit.
  void one_idle_slot_behind() {
    one_idle_slot();
    stage.repo.commit("src/main.c", "int main(void) { return 1; }\n");
    stage.settle();
  }
  void expect_all_is_well() {
    shim->script("");
    EXPECT_EQ(said(violations(stage.observed())), "");
    EXPECT_EQ(stage.acquire("next"), 0);
    EXPECT_EQ(stage.release("next"), 0);
    EXPECT_EQ(said(violations_over_restart(stage.world, stage.observed())), "");
    EXPECT_EQ(shim->two_at_once(), "");
  }
  // By one or the other, as it may be: git takes a file as young as its index for changed.
  [[nodiscard]] bool tree_is_brought() const {
    const auto log = shim->log();
    return log.find("read-tree") != std::string::npos || log.find(" restore ") != std::string::npos;
  }
  Stage stage;
  std::optional<GitShim> shim;
};

TEST_F(ShimmedGit, ThatHangsAndIsDeafToSigtermIsEndedWhileOtherSlotsGoOn) {
  one_idle_slot_behind();
  shim->script("1 hang 300 read-tree\n1 hang 300 restore\n");
  Wire wire(stage.world.socket());
  const auto asked = Clock::now();
  stage.ledger.asked("hangs");
  wire.send(request(1, "slot.acquire", {{"pool", "app"}, {"name", "hangs"}, {"deadline_ms", 1000}}));
  ASSERT_TRUE(wait_until([&] { return tree_is_brought(); }));
  EXPECT_EQ(stage.acquire("other"), 0);
  EXPECT_LT(Clock::now() - asked, 10s) << "another slot does not wait for the one that hangs";
  const auto answer = wire.read(40s);
  EXPECT_EQ(answer["error"]["data"]["kind"], "timed_out") << answer;
  EXPECT_GT(Clock::now() - asked, 10s) << "git has ten seconds to clean up after SIGTERM";
  stage.ledger.refused("hangs");
  EXPECT_EQ(stage.release("other"), 0);
  expect_all_is_well();
}

TEST_F(ShimmedGit, ThatPrintsAHundredMebibytesIsEndedAndNotKept) {
  one_idle_slot();
  shim->script("0 print 100 status\n");
  stage.restart();  // so that the next acquire looks for itself
  const auto outcome = stage.world.wtpool({"acquire", "floods"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.err.find("too much"), std::string::npos) << outcome;
  long most_kib = 0;
  for (const auto& line : lines_of(read_text("/proc/" + std::to_string(stage.world.daemon().pid()) + "/status")))
    if (line.starts_with("VmHWM:")) most_kib = std::strtol(line.c_str() + 6, nullptr, 10);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(most_kib, 250 * 1024);
#endif
  expect_all_is_well();
}

TEST_F(ShimmedGit, ThatPrintsTooMuchInARecycleIsNotTriedAgain) {
  ASSERT_EQ(stage.acquire("x"), 0);
  const auto looks = [&] {
    std::size_t count = 0;
    const auto log = shim->log();
    for (auto at = log.find("--porcelain"); at != std::string::npos; at = log.find("--porcelain", at + 1)) ++count;
    return count;
  };
  const auto before = looks();
  shim->script("0 print 100 status\n");
  (void)stage.world.wtpool({"release", "x"});
  EXPECT_TRUE(stage.world.wait_for_state("slot-0", "quarantined"));
  EXPECT_EQ(looks() - before, 1u);
  shim->script("");
  const auto repaired = stage.world.wtpool({"repair", "slot-0"});
  EXPECT_EQ(repaired.code, 0) << repaired;
}

TEST_F(ShimmedGit, ThatIsMissingIsNamedAndMissedNoMoreWhenItIsBack) {
  one_idle_slot();
  stage.world.stop_daemon();
  const auto path = stage.world.environment["PATH"];
  stage.world.environment["PATH"] = shim->folder().string();
  shim->take_away();
  stage.world.start_daemon();
  const auto outcome = stage.world.wtpool({"acquire", "x"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.err.find("git"), std::string::npos) << outcome;
  EXPECT_EQ(stage.world.wtpool({"status"}).code, 0);
  stage.world.stop_daemon();
  stage.world.environment["PATH"] = path;
  shim->put_back();
  stage.world.start_daemon();
  expect_all_is_well();
}

// What git is asked in the course of an acquire of an idle slot, of a fresh one, and of a release.
class FailingGit : public ShimmedGit, public ::testing::WithParamInterface<const char*> {};

TEST_P(FailingGit, ThatReturns128EndsTheRequestWithItsWordsOrIsDoneWithout) {
  const std::string words = GetParam();
  one_idle_slot();
  stage.repo.commit("src/main.c", "int main(void) { return 1; }\n");
  stage.settle();
  stage.restart();
  shim->script("0 exit 128 " + words + "\n");
  const int code = stage.acquire("x");
  EXPECT_TRUE(code == 0 || code == 1) << code;
  if (code != 0) {
    stage.ledger.refused("x");
    const auto again = stage.world.wtpool({"acquire", "y"});
    EXPECT_NE(again.err.find("made up by the shim"), std::string::npos) << again;
  } else {
    const int released = stage.release("x");
    EXPECT_TRUE(released == 0 || released == 1) << released;
  }
  shim->script("");
  for (const auto& slot : stage.world.json_of({"ls"})) {
    if (slot["state"] == "quarantined") {
      EXPECT_EQ(stage.ask({"repair", slot["slot"]}), 0);
    }
  }
  EXPECT_EQ(stage.release("x"), 0);
  stage.ledger.left("x");
  expect_all_is_well();
}

std::string words_without_gaps(const ::testing::TestParamInfo<const char*>& each) {
  std::string name = each.param;
  std::erase_if(name, [](char c) { return c == ' ' || c == '-'; });
  return name;
}

INSTANTIATE_TEST_SUITE_P(Each, FailingGit,
                         ::testing::Values("switch", "status", "worktree add", "checkout", "update-ref", "cat-file", "diff"),
                         words_without_gaps);

TEST_F(ShimmedGit, ThatOutlivesItsDaemonIsWaitedForAndNeverMeetsAnother) {
  one_idle_slot_behind();
  shim->script("1 sleep 2000 read-tree\n1 sleep 2000 restore\n");
  auto client = stage.world.start_wtpool({"acquire", "x", "--key", "key-of-x"});
  stage.ledger.asked("x", "key-of-x");
  ASSERT_TRUE(wait_until([&] { return tree_is_brought(); }));
  stage.world.kill_daemon();
  EXPECT_EQ(client.wait().code, 7);
  const auto killed = Clock::now();
  stage.world.start_daemon();
  EXPECT_EQ(stage.world.state_of("slot-0"), "recycling") << "its git still runs";
  EXPECT_EQ(stage.acquire("x"), 0);
  EXPECT_GT(Clock::now() - killed, 1500ms);
  EXPECT_EQ(stage.release("x"), 0);
  expect_all_is_well();
}

TEST_F(ShimmedGit, ThatOutlivesItsDaemonForTooLongIsEnded) {
  one_idle_slot_behind();
  shim->script("1 sleep 300000 read-tree\n1 sleep 300000 restore\n");
  auto client = stage.world.start_wtpool({"acquire", "x"});
  stage.ledger.asked("x");
  ASSERT_TRUE(wait_until([&] { return tree_is_brought(); }));
  stage.world.kill_daemon();
  stage.world.start_daemon();
  EXPECT_TRUE(wait_until([&] { return stage.world.state_of("slot-0") == "idle"; }, 40s));
  stage.ledger.refused("x");
  expect_all_is_well();
}

}  // namespace
}  // namespace wtpool::test
