// `run`: a command under a lease, against a daemon that keeps it, ends it or goes away.
#include <gtest/gtest.h>

#include "common/platform/process.hpp"
#include "tests/unit/client/lease_script.hpp"

namespace wtpool::client::testing {
namespace {

using proto::Error;
using proto::ErrorKind;

Ran run_sh(const char* script, std::vector<const char*> flags = {}) {
  std::vector<const char*> args = {"run", "x"};
  args.insert(args.end(), flags.begin(), flags.end());
  args.insert(args.end(), {"--", "sh", "-c", script});
  return wtpool(args);
}

TEST(Run, GivesTheCommandsOwnExitCode) {
  const std::pair<const char*, int> commands[] = {
      {"exit 0", 0}, {"exit 3", 3}, {"exit 125", 125}, {"kill -TERM $$", 143}, {"kill -KILL $$", 137}};
  for (const auto& [script, code] : commands) {
    Home home;
    Lease lease(home.path);
    FakeDaemon daemon(home.socket, lease.whole());
    const Ran ran = run_sh(script);
    daemon.join();
    EXPECT_EQ(ran.exit_code, code) << script;
    EXPECT_EQ(ran.out + ran.err, "") << script;
    ASSERT_TRUE(lease.released) << script;
    EXPECT_EQ(lease.released->target.lease_id ? lease.released->target.lease_id : lease.released->lease_id,
              lease.granted.lease_id);
    EXPECT_EQ(lease.released->dirty, proto::Dirty::save) << "the pool's on_dirty is for who asks for a release";
  }
}

TEST(Run, EndsTheCommandWhenItsTimeIsOverAndGives124) {
  Home home;
  Lease lease(home.path);
  FakeDaemon daemon(home.socket, lease.whole());
  const Ran ran = run_sh("exec sleep 600", {"--timeout", "50ms"});
  daemon.join();
  EXPECT_EQ(ran.exit_code, 124);
  EXPECT_NE(ran.err.find("its time of --timeout was over"), std::string::npos) << ran.err;
  EXPECT_TRUE(lease.released);
}

TEST(Run, SaysWhatItWasLikeWhenAsked) {
  for (const bool json : {false, true}) {
    Home home;
    Lease lease(home.path);
    FakeDaemon daemon(home.socket, lease.whole());
    const Ran ran = json ? wtpool({"--json", "run", "x", "--stats", "--", "sh", "-c", "exit 3"})
                         : wtpool({"run", "x", "--stats", "--", "sh", "-c", "exit 3"});
    daemon.join();
    EXPECT_EQ(ran.exit_code, 3);
    EXPECT_EQ(ran.out, "") << "stdout is the command's alone";
    EXPECT_NE(ran.err.find(json ? R"("exit_code":3})" : ", exit code 3\n"), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find(json ? R"("waited_seconds":)" : ": waited "), std::string::npos) << ran.err;
  }
}

TEST(Run, WithoutANameMakesOneOfTheCommandAndTheProcess) {
  Home home;
  Lease lease(home.path);
  FakeDaemon daemon(home.socket, lease.whole());
  EXPECT_EQ(wtpool({"run", "--", "sh", "-c", "exit 0"}).exit_code, 0);
  daemon.join();
}

TEST(Run, SaysAFailureAsJsonWhenAskedForJson) {
  Home home;
  FakeDaemon daemon(home.socket, [](Peer& peer) {
    peer.greet();
    if (peer.request<proto::AcquireParams>()) {
      peer.fail({ErrorKind::at_capacity, "cannot acquire x: every slot is held", "wtpool ls"});
    }
  });
  const Ran refused = wtpool({"--json", "acquire", "x"});
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_EQ(refused.out, "");
  EXPECT_EQ(refused.err,
            R"({"error":{"kind":"at_capacity","message":"cannot acquire x: every slot is held","hint":"wtpool ls",)"
            R"("retryable":true,"exit_code":4}})"
            "\n");
}

TEST(Run, GivesTheCodesOfEnvWhenThereIsNothingToRun) {
  for (const auto& [program, code] : {std::pair{"wtpool-no-such-program", 127}, std::pair{"/etc/passwd", 126}}) {
    Home home;
    Lease lease(home.path);
    FakeDaemon daemon(home.socket, lease.whole());
    const Ran ran = wtpool({"run", "x", "--", program});
    daemon.join();
    EXPECT_EQ(ran.exit_code, code);
    EXPECT_TRUE(ran.err.starts_with("wtpool: cannot run " + std::string(program) + ": ")) << ran.err;
    EXPECT_TRUE(lease.released) << "held for nothing";
  }
}

TEST(Run, Gives125WhenTheSlotCannotBeEntered) {
  Home home;
  Lease lease(home.path / "gone");
  FakeDaemon daemon(home.socket, lease.whole());
  const Ran ran = run_sh("exit 0");
  daemon.join();
  EXPECT_EQ(ran.exit_code, 125);
  EXPECT_TRUE(ran.err.starts_with("wtpool: cannot enter ")) << ran.err;
  EXPECT_TRUE(lease.released);
}

TEST(Run, Gives125WhenItFailedItself) {
  Home home;
  FakeDaemon daemon(home.socket, [](Peer& peer) {
    peer.greet();
    if (peer.request<proto::AcquireParams>()) {
      peer.fail({ErrorKind::at_capacity, "cannot acquire x: every slot is held", "wtpool release y"});
    }
  });
  const Ran refused = run_sh("exit 0");
  EXPECT_EQ(refused.exit_code, 125);
  EXPECT_EQ(refused.err, "wtpool: cannot acquire x: every slot is held\nhint: wtpool release y\n");

  Home nobody;
  EXPECT_EQ(run_sh("exit 0").exit_code, 125) << "no daemon";
  EXPECT_EQ(wtpool({"run", "HEAD", "--", "true"}).exit_code, 125) << "no name";
  EXPECT_EQ(wtpool({"run", "x"}).exit_code, 125) << "no command";
  EXPECT_EQ(wtpool({"run", "--frob", "x", "--", "true"}).exit_code, 125) << "no such flag";
}

TEST(Run, AsksForAConnectionLeaseWithPortsAndPassesTheFlagsOn) {
  Home home;
  Lease lease(home.path);
  FakeDaemon daemon(home.socket, lease.whole());
  EXPECT_EQ(run_sh("exit 0", {"--commit", "c", "--wait=2s", "--ttl", "1h", "--group", "g"}).exit_code, 0);
  daemon.join();
  EXPECT_EQ(lease.asked.lease_kind, proto::LeaseKind::connection);
  EXPECT_TRUE(lease.asked.ports && lease.asked.confirm);
  EXPECT_EQ(lease.asked.commit, "c");
  EXPECT_EQ(lease.asked.group, "g");
  EXPECT_EQ(lease.asked.wait_ms, 2000);
  EXPECT_EQ(lease.asked.ttl_seconds, 3600);
}

TEST(Run, RunsInTheSlotWithTheCallersEnvironmentAndItsOwn) {
  Home home;
  Lease lease(home.path);
  lease.granted.fresh = true;
  lease.granted.port_base = 21040;
  ::setenv("WTPOOL_TEST_CALLER", "kept", 1);
  ::setenv("WTPOOL_LEASE", "an outer run's", 1);
  FakeDaemon daemon(home.socket, lease.whole());
  EXPECT_EQ(run_sh("env > env; pwd > pwd").exit_code, 0);
  daemon.join();
  ::unsetenv("WTPOOL_TEST_CALLER");
  ::unsetenv("WTPOOL_LEASE");
  const std::string environment = "\n" + text_of(home.path / "env");
  for (const std::string& entry :
       {std::string("WTPOOL_POOL=app"), std::string("WTPOOL_SLOT=slot-0"), "WTPOOL_PATH=" + home.path.string(),
        std::string("WTPOOL_NAME=x"), "WTPOOL_LEASE=" + lease.granted.lease_id, "WTPOOL_SOCKET=" + home.socket.string(),
        std::string("WTPOOL_FRESH=1"), std::string("WTPOOL_PORT_BASE=21040"), std::string("WTPOOL_TEST_CALLER=kept")}) {
    EXPECT_NE(environment.find("\n" + entry + "\n"), std::string::npos) << entry;
  }
  EXPECT_EQ(environment.find("an outer run's"), std::string::npos);
  EXPECT_EQ(text_of(home.path / "pwd"), home.path.string() + "\n");
}

TEST(Run, SaysNoPortsWhenItGotNone) {
  Home home;
  Lease lease(home.path);
  ::setenv("WTPOOL_PORT_BASE", "1", 1);
  FakeDaemon daemon(home.socket, lease.whole());
  EXPECT_EQ(run_sh("exit ${WTPOOL_PORT_BASE-42}").exit_code, 42);
  ::unsetenv("WTPOOL_PORT_BASE");
}

TEST(Run, NamesTheGroupBeforeTheCommandStarts) {
  Home home;
  Lease lease(home.path);
  bool started_early = true;
  bool is_leader = false;
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    if (!lease.grant(peer) || !lease.confirm(peer)) return;
    is_leader = lease.group > 1 && ::getpgid(static_cast<pid_t>(lease.group)) == lease.group;
    started_early = std::filesystem::exists(home.path / "started");
    peer.answer(proto::EmptyResult{});
    static_cast<void>(lease.subscribe(peer) && lease.release(peer));
  });
  EXPECT_EQ(run_sh("echo $$ > started").exit_code, 0);
  daemon.join();
  EXPECT_TRUE(is_leader);
  EXPECT_FALSE(started_early);
  EXPECT_EQ(text_of(home.path / "started"), std::to_string(lease.group) + "\n");
}

TEST(Run, StartsNothingWhenTheLeaseIsNotConfirmed) {
  Home home;
  Lease lease(home.path);
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    if (!lease.grant(peer) || !lease.confirm(peer)) return;
    peer.fail({ErrorKind::lease_lost, "cannot confirm: the lease is over"});
    EXPECT_TRUE(peer.saw_end());
  });
  EXPECT_EQ(run_sh("echo > started").exit_code, 125);
  daemon.join();
  EXPECT_FALSE(std::filesystem::exists(home.path / "started"));
  EXPECT_TRUE(platform::processes_of_group(lease.group).empty());
}

TEST(Run, EndsTheCommandWhenTheLeaseIsOver) {
  for (const char* type : {"released", "expired", "rolled_back"}) {
    Home home;
    Lease lease(home.path);
    bool asked_again = true;
    FakeDaemon daemon(home.socket, [&](Peer& peer) {
      if (!lease.start(peer) || !appears(home.path / "started")) return;
      peer.note(event_of(lease.granted, type));
      asked_again = !peer.saw_end();
    });
    const Ran ran = run_sh("echo > started; sleep 60");
    daemon.join();
    EXPECT_EQ(ran.exit_code, 125) << type;
    EXPECT_TRUE(ran.err.starts_with("wtpool: cannot go on in slot-0: the lease was ")) << ran.err;
    EXPECT_FALSE(asked_again) << "there is nothing left to release";
    EXPECT_TRUE(platform::processes_of_group(lease.group).empty());
  }
}

TEST(Run, IsNotDisturbedByOtherLeases) {
  Home home;
  Lease lease(home.path);
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    if (!lease.start(peer) || !appears(home.path / "started")) return;
    proto::EventNote other = event_of(lease.granted, "released");
    other.lease_id = std::string(32, 'c');
    peer.note(other);
    peer.note(event_of(lease.granted, "acquired"));
    peer.raw("{\"jsonrpc\":\"2.0\",\"method\":\"from.a.newer.daemon\",\"params\":{}}\n");
    std::ofstream(home.path / "go") << "go";
    lease.release(peer);
  });
  EXPECT_EQ(run_sh("echo > started; until [ -e go ]; do sleep 0.02; done; exit 9").exit_code, 9);
}

TEST(Run, LeavesNothingOfItsGroupBehind) {
  Home home;
  Lease lease(home.path);
  FakeDaemon daemon(home.socket, lease.whole());
  EXPECT_EQ(run_sh("sleep 60 & sleep 60 & exit 4").exit_code, 4);
  daemon.join();
  EXPECT_TRUE(platform::processes_of_group(lease.group).empty());
}

TEST(Run, PassesSignalsOnToTheCommand) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    Home home;
    Lease lease(home.path);
    FakeDaemon daemon(home.socket, [&](Peer& peer) {
      if (!lease.start(peer) || !appears(home.path / "started")) return;
      ::kill(::getpid(), signal);
      lease.release(peer);
    });
    EXPECT_EQ(run_sh("trap 'exit 33' INT TERM HUP QUIT; echo > started; while :; do sleep 0.02; done").exit_code, 33);
    daemon.join();
    EXPECT_TRUE(lease.released) << signal;
  }
}

TEST(Run, ComesBackToADaemonThatWasRestarted) {
  Home home;
  Lease lease(home.path);
  std::optional<proto::ResumeParams> resumed;
  const auto second = [&](Peer& peer) {
    peer.greet();
    if (!lease.subscribe(peer)) return;
    resumed = peer.request<proto::ResumeParams>();
    if (!resumed) return;
    peer.answer(proto::EmptyResult{});
    std::ofstream(home.path / "go") << "go";
    lease.release(peer);
  };
  FakeDaemon daemon(home.socket, {[&](Peer& peer) { lease.start(peer); }, second});
  const Ran ran = run_sh("until [ -e go ]; do sleep 0.02; done; exit 6");
  daemon.join();
  EXPECT_EQ(ran.exit_code, 6);
  EXPECT_EQ(ran.err, "");
  ASSERT_TRUE(resumed);
  EXPECT_EQ(resumed->lease_id, lease.granted.lease_id);
  EXPECT_EQ(resumed->process_group, lease.group);
  EXPECT_TRUE(lease.released);
}

TEST(Run, EndsTheCommandWhenTheLeaseIsNotThereAnyMore) {
  Home home;
  Lease lease(home.path);
  const auto second = [&lease](Peer& peer) {
    peer.greet();
    if (lease.subscribe(peer) && peer.request<proto::ResumeParams>())
      peer.fail({ErrorKind::lease_lost, "cannot resume: the lease is not yours any more"});
  };
  FakeDaemon daemon(home.socket, {[&](Peer& peer) { lease.start(peer); }, second});
  const Ran ran = run_sh("sleep 60");
  daemon.join();
  EXPECT_EQ(ran.exit_code, 125);
  EXPECT_NE(ran.err.find("the lease is not yours any more"), std::string::npos) << ran.err;
  EXPECT_TRUE(platform::processes_of_group(lease.group).empty());
}

TEST(Run, ReleasesThroughADaemonThatCameBackAfterTheCommandsEnd) {
  Home home;
  Lease lease(home.path);
  const auto second = [&](Peer& peer) {
    peer.greet();
    if (!lease.subscribe(peer) || !peer.request<proto::ResumeParams>()) return;
    peer.answer(proto::EmptyResult{});
    static_cast<void>(lease.release(peer));
  };
  const auto first = [&](Peer& peer) {
    // the question arrives, the answer never leaves
    if (lease.start(peer)) static_cast<void>(lease.asked_to_release(peer));
  };
  FakeDaemon daemon(home.socket, {first, second});
  EXPECT_EQ(run_sh("exit 8").exit_code, 8);
  daemon.join();
  EXPECT_TRUE(lease.released);
}

TEST(Run, IsDoneWhenTheReleaseWasAndOnlyItsAnswerGotLost) {
  Home home;
  Lease lease(home.path);
  const auto second = [&](Peer& peer) {
    peer.greet();
    if (lease.subscribe(peer) && peer.request<proto::ResumeParams>())
      peer.fail({ErrorKind::lease_lost, "cannot resume: the lease is over"});
  };
  FakeDaemon daemon(home.socket,
                    {[&](Peer& peer) { static_cast<void>(lease.start(peer) && lease.asked_to_release(peer)); }, second});
  const Ran ran = run_sh("exit 8");
  EXPECT_EQ(ran.exit_code, 8);
  EXPECT_EQ(ran.err, "");
}

TEST(Run, Gives125WhenTheLeaseEndedTheCommand) {
  Home home;
  Lease lease(home.path);
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    if (!lease.start(peer) || !appears(home.path / "started")) return;
    ::kill(-static_cast<pid_t>(lease.group), SIGTERM);  // as a release does before anybody is told
    if (peer.request<proto::RenewParams>()) peer.fail({ErrorKind::lease_lost, "cannot renew: the lease is over"});
  });
  const Ran ran = run_sh("echo > started; sleep 60");
  EXPECT_EQ(ran.exit_code, 125);
  EXPECT_TRUE(ran.err.starts_with("wtpool: cannot go on in slot-0: the lease is over")) << ran.err;
}

TEST(Run, SaysThatAReleaseFailedAndKeepsTheCommandsCode) {
  Home home;
  Lease lease(home.path);
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    if (lease.start(peer) && lease.asked_to_release(peer)) {
      peer.fail({ErrorKind::dirty, "cannot release x: slot-0 is dirty", "git status"});
    }
  });
  const Ran ran = run_sh("exit 2");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_EQ(ran.err, "wtpool: cannot release x: slot-0 is dirty\nhint: git status\n");
}

TEST(Run, TakesTheAcquireBackOnASignal) {
  Home home;
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    peer.greet();
    if (!peer.request<proto::AcquireParams>()) return;
    ::kill(::getpid(), SIGINT);
    static_cast<void>(peer.line());
    peer.fail({ErrorKind::cancelled, "cancelled"});
  });
  EXPECT_EQ(run_sh("exit 0").exit_code, 130);
}

}  // namespace
}  // namespace wtpool::client::testing
