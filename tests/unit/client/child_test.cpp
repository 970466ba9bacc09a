// Commands in a group of their own.
#include "client/run/child.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include "client/run/session.hpp"
#include "common/platform/process.hpp"
#include "tests/unit/client/lease_script.hpp"

namespace wtpool::client::testing {
namespace {

using namespace std::chrono_literals;
using Kind = Child::Change::Kind;

CommandLine sh(const Home& home, const char* script) { return {{"sh", "-c", script}, {"PATH=/usr/bin:/bin"}, home.path}; }

std::optional<Child::Change> next_change(Child& child) {
  std::optional<Child::Change> change;
  comes_true([&] { return (change = child.change()).has_value(); });
  return change;
}

const auto kNoHurry = [] { return false; };

TEST(Child, DoesNothingBeforeItIsLetGo) {
  Home home;
  Interrupts signals(kRunSignals);
  pid_t group = 0;
  {
    Child child(sh(home, "echo > started"), signals);
    group = child.group();
    EXPECT_EQ(::getpgid(group), group);
  }
  EXPECT_FALSE(std::filesystem::exists(home.path / "started"));
  EXPECT_TRUE(platform::processes_of_group(group).empty());
}

TEST(Child, SaysWhenItIsStoppedContinuedAndEnded) {
  Home home;
  Interrupts signals(kRunSignals);
  Child child(sh(home, "kill -STOP $$; exit 7"), signals);
  ASSERT_FALSE(child.let_go());
  auto change = next_change(child);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->kind, Kind::stopped);
  EXPECT_EQ(change->signal, SIGSTOP);
  child.signal(SIGCONT);
  while ((change = next_change(child)) && change->kind == Kind::continued) {
  }
  ASSERT_TRUE(change);
  EXPECT_EQ(change->kind, Kind::ended);
  EXPECT_EQ(child.change()->kind, Kind::ended) << "kept, so that the group's id stays taken";
  EXPECT_EQ(child.finish(5s, kNoHurry), 7);
}

TEST(Child, IsKilledWhenItDoesNotListen) {
  Home home;
  Interrupts signals(kRunSignals);
  Child child(sh(home, "trap '' TERM; echo > started; while :; do sleep 0.01; done"), signals);
  ASSERT_FALSE(child.let_go());
  ASSERT_TRUE(appears(home.path / "started"));
  const pid_t group = child.group();
  EXPECT_EQ(child.finish(50ms, kNoHurry), 128 + SIGKILL);
  EXPECT_TRUE(comes_true([group] { return platform::processes_of_group(group).empty(); }));
}

TEST(Child, IsKilledAtOnceWhenSomebodyIsInAHurry) {
  Home home;
  Interrupts signals(kRunSignals);
  Child child(sh(home, "trap '' TERM; echo > started; while :; do sleep 0.01; done"), signals);
  ASSERT_FALSE(child.let_go());
  ASSERT_TRUE(appears(home.path / "started"));
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(child.finish(60s, [] { return true; }), 128 + SIGKILL);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 30s);
}

TEST(Child, HearsThatItIsToEndWhenItIsStopped) {
  Home home;
  Interrupts signals(kRunSignals);
  Child child(sh(home, "trap 'exit 21' TERM; kill -STOP $$; while :; do sleep 0.01; done"), signals);
  ASSERT_FALSE(child.let_go());
  const auto change = next_change(child);
  ASSERT_TRUE(change && change->kind == Kind::stopped);
  EXPECT_EQ(child.finish(20s, kNoHurry), 21);
}

TEST(Child, GetsTheSignalsAsTheyWereBefore) {
  Home home;
  const auto before = std::signal(SIGQUIT, SIG_IGN);
  {
    Interrupts signals(kRunSignals);
    // ignored stays ignored, what wtpool itself handles does not leak
    Child child(sh(home, "kill -QUIT $$; kill -PIPE $$; exit 0"), signals);
    EXPECT_FALSE(child.let_go());
    const auto change = next_change(child);
    EXPECT_TRUE(change && change->kind == Kind::ended);
    EXPECT_EQ(child.finish(5s, kNoHurry), 128 + SIGPIPE);
  }
  std::signal(SIGQUIT, before);
}

TEST(Child, IsLookedUpFromItsOwnDirectory) {
  Home home;
  std::ofstream(home.path / "tool") << "#!/bin/sh\nexit 11\n";
  ::chmod((home.path / "tool").c_str(), 0755);
  Interrupts signals(kRunSignals);
  Child child({{"./tool"}, {"PATH=/usr/bin:/bin"}, home.path}, signals);
  ASSERT_FALSE(child.let_go());
  ASSERT_TRUE(next_change(child));
  EXPECT_EQ(child.finish(5s, kNoHurry), 11);
}

}  // namespace
}  // namespace wtpool::client::testing
