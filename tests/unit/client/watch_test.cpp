// watch, ls --watch, trash and renew against a daemon that says what is going on.
#include <gtest/gtest.h>

#include <algorithm>

#include "client/verbs/watch_screen.hpp"
#include "tests/unit/client/lease_script.hpp"

namespace wtpool::client::testing {
namespace {

using proto::Error;
using proto::ErrorKind;

bool subscribed(Peer& peer, const proto::AcquireResult& lease) {
  peer.greet();
  if (!peer.request<proto::SubscribeParams>()) return false;
  peer.answer(snapshot_of(lease));
  return true;
}

TEST(Watch, PrintsTheSnapshotThenEachEventUntilInterrupted) {
  Home home;
  const auto lease = lease_in("/pools/app/slot-0");
  Pipe out;
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    if (!subscribed(peer, lease)) return;
    peer.note(event_of(lease, "released"));
    peer.raw("{\"jsonrpc\":\"2.0\",\"method\":\"from.a.newer.daemon\",\"params\":{}}\n");
    peer.note(event_of(lease, "recycled"));
    comes_true([&out] { return out.has_data(); });
    ::kill(::getpid(), SIGINT);
    EXPECT_TRUE(peer.saw_end());
  });
  Pipe err;
  const char* const args[] = {"wtpool", "watch"};
  EXPECT_EQ(run(args, {out.write.get(), err.write.get()}), 130);
  daemon.join();
  EXPECT_EQ(err.drain(), "");
  const std::string said = out.drain();
  EXPECT_TRUE(said.starts_with("{\"type\":\"snapshot\",\"slots\":[{\"pool\":\"app\",\"slot\":\"slot-0\",")) << said;
}

TEST(Watch, GivesEventsAsLinesAndEndsWith7WhenTheDaemonGoes) {
  Home home;
  const auto lease = lease_in("/pools/app/slot-0");
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    if (!subscribed(peer, lease)) return;
    peer.note(event_of(lease, "released"));
    peer.note(event_of(lease, "recycled"));
  });
  const Ran ran = wtpool({"watch"});
  EXPECT_EQ(ran.exit_code, 7);
  EXPECT_EQ(std::ranges::count(ran.out, '\n'), 3) << ran.out;
  const std::string last = ran.out.substr(ran.out.rfind('\n', ran.out.size() - 2) + 1);
  EXPECT_EQ(last, proto::to_json_text(proto::Notification(event_of(lease, "recycled"))) + "\n");
  EXPECT_TRUE(ran.err.starts_with("wtpool: lost the daemon at ")) << ran.err;
}

TEST(Watch, EndsWellWhenItsReaderHasSeenEnough) {
  Home home;
  const auto lease = lease_in("/pools/app/slot-0");
  Pipe out;
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    if (!subscribed(peer, lease)) return;
    comes_true([&out] { return out.has_data(); });
    out.read.reset();
    EXPECT_TRUE(peer.saw_end()) << "without another event to find out by";
  });
  Pipe err;
  const char* const args[] = {"wtpool", "watch"};
  EXPECT_EQ(run(args, {out.write.get(), err.write.get()}), 0);
  EXPECT_EQ(err.drain(), "");
}

TEST(Watch, SaysWhyThereIsNothingToWatch) {
  Home home;
  FakeDaemon daemon(home.socket, [](Peer& peer) {
    peer.greet();
    if (peer.request<proto::SubscribeParams>()) peer.fail({ErrorKind::pool_unknown, "no pool 'k' here", "wtpool pools"});
  });
  const Ran ran = wtpool({"watch", "--pool", "k"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.out, "");
}

TEST(ListWatch, WantsATerminal) {
  Home home;
  const Ran ran = wtpool({"ls", "--watch"});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "wtpool: cannot watch: standard output is no terminal\nhint: wtpool watch\n");
  EXPECT_EQ(wtpool({"--json", "ls", "--watch"}).exit_code, 2);
}

TEST(ListWatch, FitsItsTableIntoTheScreen) {
  EXPECT_EQ(clipped("one\ntwo\nthree\n", 2, 10), "one\ntwo\n");
  EXPECT_EQ(clipped("abcdef\ng\n", 5, 3), "abc\ng\n");
  EXPECT_EQ(clipped("äöü\n", 5, 2), "äö\n") << "characters, not bytes";
  EXPECT_EQ(clipped("", 5, 2), "");
}

TEST(Trash, IsListedAsATableOrAsJson) {
  const auto script = [](Peer& peer) {
    peer.greet();
    if (!peer.request<proto::TrashListParams>()) return;
    proto::TrashEntry entry{"20260505T033456Z-9f0c2b7a", "app", "slot-0", "x", 1777952096, {"heads/x", "work"}, 2, 34};
    peer.answer(proto::TrashListResult{{entry}});
  };
  Home home;
  {
    FakeDaemon daemon(home.socket, script);
    EXPECT_EQ(wtpool({"trash", "ls"}).out,
              "ID                         NAME  SLOT    KEPT                  FILES  BYTES\n"
              "20260505T033456Z-9f0c2b7a  x     slot-0  2026-05-05T03:34:56Z  2      34\n");
  }
  std::filesystem::remove(home.socket);
  FakeDaemon daemon(home.socket, script);
  const Ran ran = wtpool({"--json", "trash", "ls"});
  EXPECT_TRUE(ran.out.starts_with("[{\"id\":\"20260505T033456Z-9f0c2b7a\",\"pool\":\"app\",")) << ran.out;
}

TEST(Trash, IsRestoredToABranchThatIsNamedOnStderr) {
  proto::TrashRestoreParams asked;
  const auto script = [&asked](Peer& peer) {
    peer.greet();
    if (auto got = peer.request<proto::TrashRestoreParams>()) asked = *got;
    peer.answer(proto::TrashRestoreResult{"back"});
  };
  Home home;
  {
    FakeDaemon daemon(home.socket, script);
    const Ran ran = wtpool({"trash", "restore", "i", "--branch", "back"});
    EXPECT_EQ(ran.exit_code, 0);
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(ran.err, "wtpool: restored as branch back\n");
  }
  EXPECT_EQ(asked.id, "i");
  EXPECT_EQ(asked.branch, "back");
  std::filesystem::remove(home.socket);
  FakeDaemon daemon(home.socket, script);
  EXPECT_EQ(wtpool({"--json", "trash", "restore", "i"}).out, "{\"branch\":\"back\"}\n");
}

TEST(Trash, IsDroppedWithoutAWord) {
  Home home;
  std::string dropped;
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    peer.greet();
    if (const auto got = peer.request<proto::TrashDropParams>()) dropped = got->id;
    peer.answer(proto::EmptyResult{});
  });
  const Ran ran = wtpool({"trash", "drop", "i"});
  daemon.join();
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.out + ran.err, "");
  EXPECT_EQ(dropped, "i");
}

TEST(OwnLease, IsWhatTheEnvironmentSaysUnlessAnotherIsNamed) {
  std::vector<std::optional<std::string>> own;
  std::optional<std::string> named;
  const Home first;
  FakeDaemon release(first.socket, [&](Peer& peer) {
    peer.greet();
    if (const auto got = peer.request<proto::ReleaseParams>()) own.push_back(got->held_by);
    peer.answer(proto::ReleaseResult{});
  });
  ::setenv("WTPOOL_LEASE", "0123456789abcdef0123456789abcdef", 1);
  EXPECT_EQ(wtpool({"release", "x"}).exit_code, 0);
  release.join();
  const Home second;
  FakeDaemon other(second.socket, [&](Peer& peer) {
    peer.greet();
    if (const auto got = peer.request<proto::ReleaseParams>()) {
      own.push_back(got->held_by);
      named = got->lease_id;
    }
    peer.answer(proto::ReleaseResult{});
  });
  EXPECT_EQ(wtpool({"release", "x", "--lease", "another"}).exit_code, 0);
  other.join();
  const Home third;
  FakeDaemon renew(third.socket, [&](Peer& peer) {
    peer.greet();
    if (const auto got = peer.request<proto::RenewParams>()) own.push_back(got->held_by);
    peer.answer(proto::RenewResult{});
  });
  EXPECT_EQ(wtpool({"renew", "x"}).exit_code, 0);
  renew.join();
  ::unsetenv("WTPOOL_LEASE");
  ASSERT_EQ(own.size(), 3u);
  EXPECT_EQ(own[0], "0123456789abcdef0123456789abcdef");
  EXPECT_FALSE(own[1]);
  EXPECT_EQ(own[2], "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(named, "another");
}

TEST(Renew, SendsTheTimeAndPrintsNothing) {
  Home home;
  proto::RenewParams asked;
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    peer.greet();
    if (auto got = peer.request<proto::RenewParams>()) asked = *got;
    peer.answer(proto::RenewResult{1777952096});
  });
  const Ran ran = wtpool({"renew", "x", "--ttl", "2h"});
  daemon.join();
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.out + ran.err, "");
  EXPECT_EQ(asked.target.target, "x");
  EXPECT_EQ(asked.ttl_seconds, 7200);
}

TEST(Acquire, SaysWhoseLeaseItIs) {
  Home home;
  proto::AcquireParams asked;
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    peer.greet();
    if (auto got = peer.request<proto::AcquireParams>()) asked = *got;
    peer.fail({ErrorKind::timed_out, "the time ran out, waiting for a slot"});
  });
  EXPECT_EQ(wtpool({"acquire", "x", "--owner-pid", "4711", "--wait", "--ttl", "1m"}).exit_code, 8);
  daemon.join();
  EXPECT_EQ(asked.owner_pid, 4711);
  EXPECT_EQ(asked.lease_kind, proto::LeaseKind::process);
  EXPECT_EQ(asked.wait_ms, 0);
  EXPECT_EQ(asked.ttl_seconds, 60);
  EXPECT_FALSE(asked.ports);
}

}  // namespace
}  // namespace wtpool::client::testing
