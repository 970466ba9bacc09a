// The client against a daemon that behaves, misbehaves or dies.
#include <fcntl.h>
#include <gtest/gtest.h>

#include "tests/unit/client/fake_daemon.hpp"

namespace wtpool::client::testing {
namespace {

using proto::Error;
using proto::ErrorKind;

proto::AcquireResult granted() {
  proto::AcquireResult result;
  result.pool = "app";
  result.slot = "slot-0";
  result.path = "/pools/app/slot-0";
  result.name = result.branch = "x";
  result.full_sha = std::string(40, 'a');
  result.lease_id = std::string(32, 'b');
  return result;
}

TEST(Acquire, ConfirmsOnlyAfterThePathWasWritten) {
  Home home;
  Pipe out;
  bool written = false;
  std::string confirmed;
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    peer.greet();
    const auto acquire = peer.request<proto::AcquireParams>();
    if (!acquire || !acquire->confirm) return;
    const bool nothing_yet = !out.has_data();
    peer.answer(granted());
    const auto confirm = peer.request<proto::ConfirmParams>();
    written = nothing_yet && out.has_data();
    if (confirm) confirmed = confirm->lease_id;
    peer.answer(proto::EmptyResult{});
  });
  Pipe err;
  const char* const args[] = {"wtpool", "acquire", "x"};
  EXPECT_EQ(run(args, {out.write.get(), err.write.get()}), 0);
  daemon.join();
  EXPECT_TRUE(written);
  EXPECT_EQ(confirmed, granted().lease_id);
  EXPECT_EQ(out.drain(), "/pools/app/slot-0\n");
  EXPECT_EQ(err.drain(), "");
}

TEST(Acquire, DoesNotConfirmWhatNobodyRead) {
  Home home;
  bool confirmed = true;
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    peer.greet();
    if (peer.request<proto::AcquireParams>()) peer.answer(granted());
    confirmed = !peer.saw_end();
  });
  Pipe out;
  out.read.reset();
  const Ran ran = wtpool({"acquire", "x"}, std::move(out));
  daemon.join();
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_FALSE(confirmed);
  EXPECT_TRUE(ran.err.starts_with("wtpool: cannot write the result: ")) << ran.err;
}

TEST(Acquire, SendsWhatWasAskedFor) {
  Home home;
  proto::AcquireParams asked;
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    peer.greet();
    if (auto got = peer.request<proto::AcquireParams>()) asked = *got;
    peer.fail({ErrorKind::contended, "cannot acquire x: all slots are being recycled"});
  });
  ::setenv("WTPOOL_POOL", "from-environment", 1);
  const Ran ran = wtpool({"acquire", "x", "--commit", "c", "--group", "g", "--key", "k", "--unique-sha", "--replace",
                          "--exclude-submodule-tags", "a,b"});
  daemon.join();
  EXPECT_EQ(ran.exit_code, 3);
  EXPECT_EQ(asked.scope.pool, "from-environment");
  EXPECT_EQ(asked.scope.cwd, std::filesystem::current_path().string());
  EXPECT_EQ(asked.commit, "c");
  EXPECT_EQ(asked.group, "g");
  EXPECT_EQ(asked.key, "k");
  EXPECT_EQ(asked.exclude_submodule_tags, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(asked.unique_sha && asked.replace && !asked.resume && !asked.progress);
}

TEST(Acquire, JudgesTheNameBeforeItTalksToAnybody) {
  Home home;
  for (const char* name : {"", "HEAD", "a..b", "\xff\xfe", "-x", "refs/heads/x"}) {
    const Ran ran = wtpool({"acquire", "--", name});
    EXPECT_EQ(ran.exit_code, 10) << name << ran.err;
    EXPECT_TRUE(ran.err.starts_with("wtpool: cannot acquire ")) << ran.err;
    EXPECT_EQ(ran.out, "");
  }
}

TEST(Acquire, TakesTheRequestBackOnASignalAndWaitsForTheRollBack) {
  Home home;
  bool cancelled = false;
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    peer.greet();
    if (!peer.request<proto::AcquireParams>()) return;
    ::kill(::getpid(), SIGINT);
    const auto frame = peer.frame();
    const auto* cancel = frame ? std::get_if<proto::CancelFrame>(&*frame) : nullptr;
    cancelled = cancel && std::get<std::int64_t>(cancel->target) == peer.id();
    peer.fail({ErrorKind::cancelled, "cancelled"});
  });
  const Ran ran = wtpool({"acquire", "x"});
  daemon.join();
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(ran.exit_code, 130);
  EXPECT_EQ(ran.out + ran.err, "");
}

TEST(Acquire, GivesBackWhatWasGrantedWhileTheUserLeft) {
  Home home;
  std::optional<std::string> released;
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    peer.greet();
    if (!peer.request<proto::AcquireParams>()) return;
    ::kill(::getpid(), SIGTERM);
    static_cast<void>(peer.line());
    peer.answer(granted());
    if (const auto release = peer.request<proto::ReleaseParams>()) {
      released = release->lease_id ? release->lease_id : release->target.lease_id;
    }
    peer.answer(proto::ReleaseResult{});
  });
  const Ran ran = wtpool({"acquire", "x"});
  daemon.join();
  EXPECT_EQ(ran.exit_code, 143);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(released, granted().lease_id);
}

TEST(Acquire, LeavesAtTheSecondSignal) {
  Home home;
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    peer.greet();
    if (!peer.request<proto::AcquireParams>()) return;
    ::kill(::getpid(), SIGINT);
    static_cast<void>(peer.line());
    ::kill(::getpid(), SIGINT);
    EXPECT_TRUE(peer.saw_end());
  });
  EXPECT_EQ(wtpool({"acquire", "x"}).exit_code, 130);
}

TEST(Acquire, ShowsWarningsAndDetailsOnStderr) {
  Home home;
  const auto script = [](Peer& peer) {
    peer.greet();
    if (!peer.request<proto::AcquireParams>()) return;
    peer.note(proto::Warning{peer.id(), "3 untracked files of earlier holders\033[2J"});
    Error error(ErrorKind::at_capacity, "cannot acquire x: every slot is held", "wtpool release slot-0");
    error.details = {"slot-0  y"};
    peer.fail(error);
  };
  {
    FakeDaemon daemon(home.socket, script);
    const Ran ran = wtpool({"acquire", "x"});
    EXPECT_EQ(ran.exit_code, 4);
    EXPECT_TRUE(ran.err.starts_with("wtpool: warning: 3 untracked files of earlier holders")) << ran.err;
    EXPECT_EQ(ran.err.find('\033'), std::string::npos);
    EXPECT_TRUE(ran.err.ends_with("\nwtpool: cannot acquire x: every slot is held\nhint: wtpool release slot-0\nslot-0  y\n"))
        << ran.err;
  }
  std::filesystem::remove(home.socket);
  FakeDaemon daemon(home.socket, script);
  EXPECT_EQ(wtpool({"-q", "acquire", "x"}).err.find("warning"), std::string::npos);
}

TEST(Acquire, ShowsWhatGitSaysWhenVerbose) {
  Home home;
  FakeDaemon daemon(home.socket, [](Peer& peer) {
    peer.greet();
    const auto acquire = peer.request<proto::AcquireParams>();
    if (!acquire || !acquire->progress) return;
    peer.note(proto::Progress{peer.id(), "fetching", 10, std::nullopt, "remote: Counting objects"});
    peer.fail({ErrorKind::git_failed, "cannot acquire x: git failed"});
  });
  const Ran ran = wtpool({"-v", "acquire", "x"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_TRUE(ran.err.starts_with("remote: Counting objects\n")) << ran.err;
}

TEST(Release, SaysWhenItWasDoneBeforeAndPrintsNothing) {
  Home home;
  proto::ReleaseParams asked;
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    peer.greet();
    if (auto got = peer.request<proto::ReleaseParams>()) asked = *got;
    peer.answer(proto::ReleaseResult{true, std::nullopt, std::nullopt});
  });
  const Ran ran = wtpool({"release", "x", "--lease", "abc", "--refuse-dirty"});
  daemon.join();
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "wtpool: already released: nothing is held as 'x'\n");
  EXPECT_EQ(asked.target.target, "x");
  EXPECT_EQ(asked.lease_id, "abc");
  EXPECT_EQ(asked.dirty, proto::Dirty::refuse);
  ASSERT_FALSE(asked.caller_pids.empty());
  EXPECT_EQ(asked.caller_pids.front(), ::getpid());
}

TEST(Release, NamesWhereWorkWasKept) {
  Home home;
  FakeDaemon daemon(home.socket, [](Peer& peer) {
    peer.greet();
    if (peer.request<proto::ReleaseParams>()) peer.answer(proto::ReleaseResult{false, "slot-0", "20260505T033456Z-9f0c0000"});
  });
  const Ran ran = wtpool({"release", "--wait"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.err, "wtpool: kept as 20260505T033456Z-9f0c0000 (wtpool trash restore makes a branch of it)\n");
}

TEST(Path, OfSomethingNotHeldIsSilent) {
  Home home;
  FakeDaemon daemon(home.socket, [](Peer& peer) {
    peer.greet();
    if (peer.request<proto::SlotPathParams>()) peer.fail({ErrorKind::not_held, "cannot tell the path of x: not held"});
  });
  const Ran ran = wtpool({"path", "x"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.out + ran.err, "");
}

TEST(Path, IsOneLine) {
  Home home;
  FakeDaemon daemon(home.socket, [](Peer& peer) {
    peer.greet();
    if (peer.request<proto::SlotPathParams>()) peer.answer(proto::SlotPathResult{"/p/slot-0"});
  });
  const Ran ran = wtpool({"path", "x"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.out, "/p/slot-0\n");
}

TEST(Remove, OfAPoolTakesTheKeyOfTheCommandLine) {
  Home home;
  ::setenv("WTPOOL_POOL", "other", 1);
  std::string removed;
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    peer.greet();
    if (auto got = peer.request<proto::PoolRemoveParams>()) removed = got->pool;
    peer.answer(proto::EmptyResult{});
  });
  EXPECT_EQ(wtpool({"remove", "--pool", "mine"}).exit_code, 0);
  daemon.join();
  EXPECT_EQ(removed, "mine");
  EXPECT_EQ(wtpool({"remove"}).exit_code, 2);
}

TEST(List, PrintsTheWiresOwnJson) {
  Home home;
  proto::SlotInfo slot;
  slot.pool = "app";
  slot.slot = "slot-0";
  slot.path = "/p/slot-0";
  const proto::SlotListResult list{std::vector<proto::SlotInfo>(4000, slot)};
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    peer.greet();
    if (peer.request<proto::SlotListParams>()) peer.answer(list);
  });
  const std::filesystem::path file = home.path / "out";
  const Fd out(::creat(file.c_str(), 0600));
  const char* const args[] = {"wtpool", "--json", "ls"};
  EXPECT_EQ(run(args, {out.get(), 2}), 0);
  EXPECT_EQ(std::filesystem::file_size(file), proto::to_json_text(list).size() + 1);  // more than a request may have
}

TEST(Doctor, ExitsWith1WhenSomethingIsWrong) {
  Home home;
  FakeDaemon daemon(home.socket, [](Peer& peer) {
    peer.greet();
    if (peer.request<proto::HostDoctorParams>()) peer.answer(proto::DoctorResult{false, {{"git", "error", "none", {}}}});
  });
  const Ran ran = wtpool({"doctor"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.out.find("git    error   none"), std::string::npos) << ran.out;
}

TEST(Talking, EndsWith7WhenTheDaemonDiesBeforeItsAnswer) {
  for (const char* last : {"", "{\"jsonrpc\":\"2.0\",\"id\":2,\"resu"}) {
    Home home;
    FakeDaemon daemon(home.socket, [last](Peer& peer) {
      peer.greet();
      static_cast<void>(peer.line());
      peer.raw(last);
    });
    const Ran ran = wtpool({"pools"});
    EXPECT_EQ(ran.exit_code, 7);
    EXPECT_TRUE(ran.err.starts_with("wtpool: lost the daemon at " + home.socket.string())) << ran.err;
  }
}

TEST(Talking, EndsWith7WhenWhatComesIsNotTheProtocol) {
  for (const char* garbage : {"hello\n", "[]\n", "{}\n", "\xff\xfe\n", "{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":1}\n"}) {
    Home home;
    FakeDaemon daemon(home.socket, [garbage](Peer& peer) {
      peer.greet();
      static_cast<void>(peer.line());
      peer.raw(garbage);
      EXPECT_TRUE(peer.saw_end());
    });
    const Ran ran = wtpool({"pools"});
    EXPECT_EQ(ran.exit_code, 7) << garbage << ran.err;
    EXPECT_NE(ran.err.find("wtpool: lost the daemon at "), std::string::npos) << ran.err;
  }
}

TEST(Talking, PutsAnAnswerInPiecesTogether) {
  Home home;
  FakeDaemon daemon(home.socket, [](Peer& peer) {
    peer.greet();
    if (!peer.request<proto::PoolListParams>()) return;
    const std::string line = proto::encode_answer(peer.id(), proto::PoolListResult{}) + "\n";
    for (const char c : "\n" + line) {
      if (c != '\0') peer.raw({&c, 1});
    }
  });
  const Ran ran = wtpool({"pools", "--json"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out, "[]\n");
}

TEST(Talking, StopsAtAnotherRootBeforeItAsksForAnything) {
  Home home;
  ::setenv("WORKTREE_ROOT", "/elsewhere", 1);
  std::optional<std::string> root;
  bool asked = true;
  FakeDaemon daemon(home.socket, [&](Peer& peer) {
    if (const auto hello = peer.request<proto::HelloParams>()) root = hello->root;
    peer.fail({ErrorKind::root_mismatch, "cannot use /elsewhere: the daemon serves /pools"});
    asked = !peer.saw_end();
  });
  const Ran ran = wtpool({"pools"});
  daemon.join();
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.err, "wtpool: cannot use /elsewhere: the daemon serves /pools\n");
  EXPECT_EQ(root, "/elsewhere");
  EXPECT_FALSE(asked);
}

class ExitCodes : public ::testing::TestWithParam<ErrorKind> {};

TEST_P(ExitCodes, ComeFromTheTable) {
  Home home;
  FakeDaemon daemon(home.socket, [](Peer& peer) {
    peer.greet();
    if (peer.request<proto::SlotInspectParams>()) peer.fail({GetParam(), "cannot: because", "do"});
  });
  const Ran ran = wtpool({"inspect", "x"});
  EXPECT_EQ(ran.exit_code, proto::info(GetParam()).exit_code);
  EXPECT_EQ(ran.err, "wtpool: cannot: because\nhint: do\n");
}

INSTANTIATE_TEST_SUITE_P(Talking, ExitCodes,
                         ::testing::Values(ErrorKind::invalid_params, ErrorKind::internal, ErrorKind::contended,
                                           ErrorKind::sha_held, ErrorKind::name_held, ErrorKind::timed_out,
                                           ErrorKind::branch_exists, ErrorKind::dirty, ErrorKind::quarantined,
                                           ErrorKind::lease_lost, ErrorKind::no_space, ErrorKind::queue_full));

}  // namespace
}  // namespace wtpool::client::testing
