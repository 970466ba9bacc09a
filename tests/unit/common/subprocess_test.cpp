#include "common/process/run_child.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "common/platform/process.hpp"
#include "proto/errors.hpp"
#include "tests/unit/common/scratch.hpp"

namespace wtpool {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

SpawnOptions shell(const std::string& script) {
  SpawnOptions options;
  options.argv = {"sh", "-c", script};
  options.environment = {"PATH=/usr/bin:/bin"};
  options.deadline = 60s;
  return options;
}

Clock::duration time_of(const SpawnOptions& options, ChildResult& result) {
  const auto start = Clock::now();
  result = run_child(options);
  return Clock::now() - start;
}

TEST(RunChild, GivesOutputErrorsAndExitCode) {
  const auto result = run_child(shell("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(result.end, ChildEnd::exited);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.error_tail, "err\n");
  EXPECT_FALSE(result.ok());
}

TEST(RunChild, SaysWhichSignalEndedIt) {
  const auto result = run_child(shell("kill -9 $$"));
  EXPECT_EQ(result.end, ChildEnd::signalled);
  EXPECT_EQ(result.signal, SIGKILL);
  EXPECT_EQ(result.exit_code, 128 + SIGKILL);
}

TEST(RunChild, ThrowsWhenTheProgramIsMissing) {
  auto options = shell("");
  options.argv = {"wtpool-no-such-program"};
  EXPECT_THROW((void)run_child(options), proto::Error);
  options.argv = {"/nonexistent/program"};
  EXPECT_THROW((void)run_child(options), proto::Error);
  options.argv = {};
  EXPECT_THROW((void)run_child(options), proto::Error);
}

TEST(RunChild, NamesTheDirectoryThatIsNotThere) {
  auto options = shell("true");
  options.directory = "/nonexistent-directory";
  try {
    (void)run_child(options);
    FAIL() << "it ran";
  } catch (const proto::Error& failure) {
    EXPECT_NE(failure.message.find("/nonexistent-directory"), std::string::npos) << failure.message;
  }
}

TEST(RunChild, LooksForTheProgramInThePathOfItsOwnEnvironment) {
  const testing::Scratch scratch;
  testing::put(scratch / "tool", "#!/bin/sh\necho mine\n");
  std::filesystem::permissions(scratch / "tool", std::filesystem::perms::owner_all);
  SpawnOptions options;
  options.argv = {"tool"};
  options.environment = {"PATH=relative::" + scratch.path.string()};
  EXPECT_EQ(run_child(options).output, "mine\n");
  options.environment = {"PATH="};
  options.directory = scratch.path;
  EXPECT_THROW((void)run_child(options), proto::Error);
}

TEST(RunChild, RunsInTheDirectoryWithNothingButItsEnvironment) {
  const testing::Scratch scratch;
  auto options = shell("pwd -P; env | grep -v '^_=' | sort");
  options.directory = scratch.path;
  options.environment = {"PATH=/usr/bin:/bin", "PWD=" + scratch.path.string(), "ONLY=this"};
  const auto lines = run_child(options).output;
  EXPECT_TRUE(lines.starts_with(real_path(scratch.path).string() + "\nONLY=this\nPATH=")) << lines;
  EXPECT_EQ(lines.find("HOME="), std::string::npos);
}

TEST(RunChild, HasNoStandardInputUnlessItIsGivenSome) {
  EXPECT_EQ(run_child(shell("cat | wc -c | tr -d ' '")).output, "0\n");
  auto options = shell("cat");
  options.input = std::string(3 * 1024 * 1024, 'x');
  EXPECT_EQ(run_child(options).output, options.input);
}

TEST(RunChild, SurvivesAChildThatReadsNothingOfABigInput) {
  auto options = shell("exec <&-; echo done");
  options.input = std::string(8 * 1024 * 1024, 'x');
  const auto result = run_child(options);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.output, "done\n");
  sigset_t pending;
  ::sigpending(&pending);
  EXPECT_EQ(::sigismember(&pending, SIGPIPE), 0);
}

TEST(RunChild, EndsAtItsDeadline) {
  auto options = shell("exec sleep 600");
  options.deadline = 50ms;
  ChildResult result;
  EXPECT_LT(time_of(options, result), 20s);
  EXPECT_EQ(result.end, ChildEnd::timed_out);
  EXPECT_EQ(result.signal, SIGTERM);
}

TEST(RunChild, TakesTheLongestDeadlineThereIs) {
  auto options = shell("true");
  options.deadline = Clock::duration::max();
  options.patience = Clock::duration::max();
  EXPECT_TRUE(run_child(options).ok());
}

TEST(RunChild, KillsWhatIgnoresSigtermAfterItsPatience) {
  auto options = shell("trap '' TERM; echo ready; while :; do sleep 600; done");
  options.patience = 100ms;
  options.deadline = 500ms;
  ChildResult result;
  EXPECT_LT(time_of(options, result), 20s);
  EXPECT_EQ(result.end, ChildEnd::timed_out);
  EXPECT_EQ(result.signal, SIGKILL);
}

TEST(RunChild, StopsWhenToldFromAnotherThread) {
  auto options = shell("echo started >&2; exec sleep 600");
  const StopToken stop;
  options.stop = stop;
  std::thread helper;
  options.on_error_text = [&](std::string_view) {
    if (!helper.joinable()) helper = std::thread([stop] { stop.request_stop(); });
  };
  const auto result = run_child(options);
  helper.join();
  EXPECT_EQ(result.end, ChildEnd::stopped);
  EXPECT_TRUE(stop.stop_requested());
}

TEST(RunChild, StopsAtOnceWhenTheTokenWasUsedBefore) {
  auto options = shell("exec sleep 600");
  options.stop.emplace();
  options.stop->request_stop();
  options.stop->request_stop();
  EXPECT_EQ(run_child(options).end, ChildEnd::stopped);
}

TEST(RunChild, LetsTheWholeGroupCleanUpBeforeItReturns) {
  const testing::Scratch scratch;
  auto options = shell("(trap 'echo cleaned > \"$OUT\"; exit' TERM; echo up >&2; while :; do sleep 0.01; done) & wait");
  options.environment.push_back("OUT=" + (scratch / "out").string());
  const StopToken stop;
  options.stop = stop;
  options.on_error_text = [&](std::string_view) { stop.request_stop(); };
  EXPECT_EQ(run_child(options).end, ChildEnd::stopped);
  EXPECT_EQ(read_file(scratch / "out").value_or(""), "cleaned\n");
}

TEST(RunChild, EndsAChildThatSaysTooMuchAndKeepsTheBeginning) {
  auto options = shell("head -c 104857600 /dev/zero; exec sleep 600");
  options.output_limit = 1000;
  ChildResult result;
  EXPECT_LT(time_of(options, result), 30s);
  EXPECT_EQ(result.end, ChildEnd::too_much_output);
  EXPECT_EQ(result.output.size(), 1000u);
}

TEST(RunChild, KeepsTheEndOfAHundredMebibytesOfErrors) {
  auto options = shell("head -c 104857600 /dev/zero | tr '\\0' x >&2; echo last >&2");
  const auto result = run_child(options);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.error_tail.size(), 4096u);
  EXPECT_TRUE(result.error_tail.ends_with("xlast\n"));
}

TEST(RunChild, DoesNotWaitForAGrandchildThatHoldsThePipes) {
  auto options = shell("sleep 600 & echo $!; echo text");
  ChildResult result;
  EXPECT_LT(time_of(options, result), 20s);
  EXPECT_TRUE(result.ok());
  EXPECT_TRUE(result.output.ends_with("text\n")) << result.output;
  ::kill(std::stoi(result.output), SIGKILL);
}

TEST(RunChild, DoesNotWaitForAGrandchildThatGoesOnWriting) {
  auto options = shell("(while :; do echo noise >&2 || exit; done) & echo $!");
  ChildResult result;
  EXPECT_LT(time_of(options, result), 20s);
  EXPECT_TRUE(result.ok());
  ::kill(std::stoi(result.output), SIGKILL);
}

TEST(RunChild, PassesOnTheNamedDescriptorsAndNoOthers) {
  const testing::Scratch scratch;
  const Fd kept(::open((scratch / "kept").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const Fd leaked(::open((scratch / "leaked").c_str(), O_RDWR | O_CREAT, 0600));  // not even close-on-exec
  const Fd high(::fcntl(leaked.get(), F_DUPFD, 200));
  auto options = shell("exec ls /proc/self/fd");
  options.inherited = {kept.get()};
  const auto output = run_child(options).output;
  const auto has = [&](int fd) { return ("\n" + output).find("\n" + std::to_string(fd) + "\n") != std::string::npos; };
  EXPECT_TRUE(has(kept.get())) << output;
  EXPECT_FALSE(has(high.get())) << output;
  EXPECT_EQ(::fcntl(kept.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC) << "it must stay close-on-exec here";
}

TEST(RunChild, GivesTheChildSignalsAsTheyWereAtBirth) {
  struct sigaction previous {};
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &previous);
  sigset_t block, before;
  ::sigemptyset(&block);
  ::sigaddset(&block, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &block, &before);
  const auto output = run_child(shell("grep -E 'Sig(Blk|Ign)' /proc/self/status | cut -f2")).output;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::sigaction(SIGPIPE, &previous, nullptr);
  ASSERT_EQ(output.size(), 34u) << output;
  // The C library keeps signals 32 and 33 for itself.
  constexpr unsigned long long kOrdinary = 0x7fffffff;
  EXPECT_EQ(std::stoull(output.substr(0, 16), nullptr, 16) & kOrdinary, 0u) << "blocked";
  EXPECT_EQ(std::stoull(output.substr(17, 16), nullptr, 16) & kOrdinary, 0u) << "ignored";
}

TEST(RunChild, LeavesNoChildBehindWhenACallbackThrows) {
  auto options = shell("exec sleep 600");
  pid_t child = 0;
  options.on_start = [&](pid_t pid) {
    child = pid;
    throw proto::Error(proto::ErrorKind::internal, "no");
  };
  EXPECT_THROW((void)run_child(options), proto::Error);
  EXPECT_FALSE(platform::stamp_of(child).has_value());
}

TEST(RunChild, KeepsNoDescriptorOpen) {
  const auto count = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  (void)run_child(shell("true"));
  const auto before = count();
  for (int i = 0; i < 20; ++i) (void)run_child(shell("true"));
  EXPECT_EQ(count(), before);
}

TEST(RunChild, SaysThatItKillsBeforeItDoes) {
  auto options = shell("trap '' TERM; while :; do sleep 0.05; done");
  options.deadline = 100ms;
  options.patience = 200ms;
  pid_t pid = 0;
  int told = 0;
  options.on_start = [&](pid_t started) { pid = started; };
  options.on_kill = [&] {
    ++told;
    siginfo_t info{};
    EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT), 0);
    EXPECT_EQ(info.si_pid, 0) << "it still runs";
  };
  EXPECT_EQ(run_child(options).signal, SIGKILL);
  EXPECT_EQ(told, 1);
  auto obeys = shell("exec sleep 60");
  obeys.deadline = 100ms;
  obeys.on_kill = [&] { ++told; };
  EXPECT_EQ(run_child(obeys).signal, SIGTERM);
  EXPECT_EQ(told, 1);
}

TEST(LineChild, AnswersLineByLine) {
  auto child = LineChild::start(shell("while read -r line; do echo \"got $line\"; done"));
  ASSERT_TRUE(child->write("one\ntwo\n"));
  EXPECT_EQ(child->read_line(20s), "got one");
  EXPECT_EQ(child->read_line(20s), "got two");
  EXPECT_EQ(child->read_line(10ms), std::nullopt);
  EXPECT_GT(child->pid(), 0);
}

TEST(LineChild, DoesNotBlockOnAChildThatAnswersBeforeItReadsOn) {
  auto child = LineChild::start(shell("exec cat"));
  const std::string line(1000, 'y');
  std::string text;
  for (int i = 0; i < 2000; ++i) text += line + "\n";
  ASSERT_TRUE(child->write(text));
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(child->read_line(20s), line);
}

TEST(LineChild, SaysThatTheChildIsGone) {
  auto child = LineChild::start(shell("echo why >&2; exit 1"));
  EXPECT_EQ(child->read_line(20s), std::nullopt);
  const std::string much(1024 * 1024, 'z');
  EXPECT_FALSE(child->write(much));
  EXPECT_EQ(child->error_tail(), "why\n");
}

TEST(LineChild, SaysThatTheChildIsGoneThoughItsPipeIsOpenElsewhere) {
  auto child = LineChild::start(shell("echo last; sleep 4 & kill -9 $$"));
  const auto begin = Clock::now();
  EXPECT_EQ(child->read_line(20s), "last");
  EXPECT_EQ(child->read_line(20s), std::nullopt);
  EXPECT_LT(Clock::now() - begin, 3s);
}

TEST(LineChild, StopsReadingWhenTold) {
  auto options = shell("exec sleep 600");
  options.stop.emplace();
  auto child = LineChild::start(options);
  options.stop->request_stop();
  EXPECT_EQ(child->read_line(20s), std::nullopt);
}

}  // namespace
}  // namespace wtpool
