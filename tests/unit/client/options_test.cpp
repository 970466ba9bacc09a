#include "client/cli/options.hpp"

#include <gtest/gtest.h>

namespace wtpool::client {
namespace {

std::variant<Parsed, Told> parse(std::vector<const char*> args) {
  args.insert(args.begin(), "wtpool");
  return parse_options(args);
}

template <class C>
C parsed(std::vector<const char*> args, Globals* globals = nullptr) {
  const auto result = parse(std::move(args));
  if (const auto* told = std::get_if<Told>(&result)) {
    ADD_FAILURE() << told->text;
    return {};
  }
  const auto& options = std::get<Parsed>(result);
  if (globals) *globals = options.globals;
  if (const auto* command = std::get_if<C>(&options.command)) return *command;
  ADD_FAILURE() << "another verb";
  return {};
}

int told(std::vector<const char*> args) {
  const auto result = parse(std::move(args));
  const auto* text = std::get_if<Told>(&result);
  return text ? text->exit_code : -1;
}

TEST(Options, ReadAcquireWithEveryFlag) {
  const auto acquire = parsed<AcquireCommand>(
      {"acquire", "feature/x", "--commit", "v1.2", "--group", "ios", "--unique-sha", "--resume", "--key", "ci-1"});
  EXPECT_EQ(acquire.name, "feature/x");
  EXPECT_EQ(acquire.commit, "v1.2");
  EXPECT_EQ(acquire.group, "ios");
  EXPECT_EQ(acquire.key, "ci-1");
  EXPECT_TRUE(acquire.unique_sha);
  EXPECT_TRUE(acquire.resume);
  EXPECT_FALSE(acquire.replace);
}

TEST(Options, LeaveOutWhatWasNotSaid) {
  const auto acquire = parsed<AcquireCommand>({"acquire", "x"});
  EXPECT_FALSE(acquire.commit || acquire.group || acquire.key);
  EXPECT_FALSE(acquire.unique_sha || acquire.resume || acquire.replace);
}

TEST(Options, ReadHowLongAnAcquireWaitsAndALeaseLasts) {
  using namespace std::chrono_literals;
  EXPECT_FALSE(parsed<AcquireCommand>({"acquire", "x"}).wait);
  EXPECT_EQ(parsed<AcquireCommand>({"acquire", "x", "--wait"}).wait, 0ms) << "without an end";
  EXPECT_EQ(parsed<AcquireCommand>({"acquire", "--wait", "x"}).name, "x") << "a NAME is no time to wait";
  EXPECT_EQ(parsed<AcquireCommand>({"acquire", "x", "--wait=250ms"}).wait, 250ms);
  EXPECT_EQ(parsed<AcquireCommand>({"acquire", "x", "--wait=2h"}).wait, 2h);
  EXPECT_FALSE(parsed<AcquireCommand>({"acquire", "x", "--wait=0s"}).wait) << "no wait, and not one without an end";
  EXPECT_EQ(parsed<AcquireCommand>({"acquire", "x", "--ttl", "1d"}).ttl, 24h);
  EXPECT_EQ(parsed<AcquireCommand>({"acquire", "x", "--ttl=1500ms"}).ttl, 2s) << "never shorter than asked for";
  EXPECT_EQ(parsed<AcquireCommand>({"acquire", "x", "--owner-pid", "4711"}).owner_pid, 4711);
  EXPECT_EQ(parsed<RenewCommand>({"renew", "x", "--ttl", "10m"}).ttl, 600s);
  EXPECT_EQ(parsed<RenewCommand>({"renew", "x"}).target, "x");
}

TEST(Options, ReadRunWithItsCommandAsItIs) {
  using Words = std::vector<std::string>;
  const auto run =
      parsed<RunCommand>({"run", "x", "--commit", "c", "--wait", "--", "make", "-j4", "[a,b]", "", "--", "--json"});
  EXPECT_EQ(run.acquire.name, "x");
  EXPECT_EQ(run.acquire.commit, "c");
  EXPECT_EQ(run.acquire.wait, std::chrono::milliseconds(0));
  EXPECT_EQ(run.command, (Words{"make", "-j4", "[a,b]", "", "--", "--json"}));
  Globals globals;
  EXPECT_EQ(parsed<RunCommand>({"--pool", "run", "run", "run", "--", "run"}, &globals).command, Words{"run"});
  EXPECT_EQ(globals.pool, "run");
  EXPECT_FALSE(globals.json);
}

TEST(Options, DoNotTakeEveryRunForTheVerb) {
  EXPECT_EQ(parsed<AcquireCommand>({"acquire", "run"}).name, "run");
  const auto acquire = parsed<AcquireCommand>({"acquire", "--group", "run", "--", "-x"});
  EXPECT_EQ(acquire.group, "run");
  EXPECT_EQ(acquire.name, "-x");
}

TEST(Options, AnswerWrongUsageOfRunWithItsOwnCode) {
  EXPECT_EQ(told({"run"}), 125);
  EXPECT_EQ(told({"run", "x"}), 125);
  EXPECT_EQ(told({"run", "x", "--"}), 125);
  EXPECT_EQ(told({"run", "x", "true"}), 125);
  EXPECT_EQ(told({"run", "--"}), 125);
  EXPECT_EQ(told({"run", "x", "--owner-pid", "5", "--", "true"}), 125) << "it is the connection's";
  EXPECT_EQ(told({"run", "--help"}), 0);
}

TEST(Options, ReadTrashAndWatch) {
  parsed<TrashListCommand>({"trash", "ls"});
  const auto restore = parsed<TrashRestoreCommand>({"trash", "restore", "20260505T033456Z-9f0c2b7a", "--branch", "b"});
  EXPECT_EQ(restore.id, "20260505T033456Z-9f0c2b7a");
  EXPECT_EQ(restore.branch, "b");
  EXPECT_FALSE(parsed<TrashRestoreCommand>({"trash", "restore", "ls"}).branch);
  Globals globals;
  EXPECT_EQ(parsed<TrashDropCommand>({"trash", "drop", "i", "--pool", "k"}, &globals).id, "i");
  EXPECT_EQ(globals.pool, "k");
  parsed<WatchCommand>({"watch"});
  EXPECT_TRUE(parsed<ListCommand>({"ls", "--watch"}).watch);
}

TEST(Options, ReadReleaseInAllItsForms) {
  EXPECT_FALSE(parsed<ReleaseCommand>({"release"}).target);
  EXPECT_EQ(parsed<ReleaseCommand>({"release", "slot-3"}).target, "slot-3");
  const auto release = parsed<ReleaseCommand>({"release", "x", "--lease", "ab", "--discard", "--delete-remote", "--wait"});
  EXPECT_EQ(release.lease, "ab");
  EXPECT_EQ(release.dirty, proto::Dirty::discard);
  EXPECT_TRUE(release.delete_remote && release.wait);
  EXPECT_EQ(parsed<ReleaseCommand>({"release", "--refuse-dirty"}).dirty, proto::Dirty::refuse);
  EXPECT_FALSE(parsed<ReleaseCommand>({"release", "x"}).dirty);
}

TEST(Options, ReadInitWithItsLists) {
  const auto init =
      parsed<InitCommand>({"init", "--source", "~/a", "--max-slots", "3", "--groups", "ios,android", "--default-commit",
                           "trunk", "--submodule-mirror-mode", "git-modules", "--submodule-mirror-base", "/m"});
  EXPECT_EQ(init.source, "~/a");
  EXPECT_EQ(init.max_slots, 3);
  EXPECT_EQ(init.groups, (std::vector<std::string>{"ios", "android"}));
  EXPECT_EQ(init.default_commit, "trunk");
  EXPECT_EQ(init.submodule_mirror_mode, "git-modules");
  EXPECT_EQ(init.submodule_mirror_base, "/m");
}

TEST(Options, ReadTheOtherVerbs) {
  EXPECT_TRUE(parsed<ListCommand>({"ls", "--git-status"}).git_status);
  EXPECT_EQ(parsed<InspectCommand>({"inspect", "x"}).target, "x");
  EXPECT_EQ(parsed<PathCommand>({"path", "x"}).target, "x");
  EXPECT_TRUE(parsed<RepairCommand>({"repair", "slot-0", "--discard"}).discard);
  EXPECT_EQ(parsed<RemoveCommand>({"remove", "slot-0"}).slot, "slot-0");
  EXPECT_FALSE(parsed<RemoveCommand>({"remove", "--pool", "k"}).slot);
  EXPECT_EQ(parsed<UnstickCommand>({"unstick", "--slot", "slot-1"}).slot, "slot-1");
  parsed<PoolsCommand>({"pools"});
  parsed<StatusCommand>({"status"});
  parsed<DoctorCommand>({"doctor"});
  parsed<ValidateGitmodulesCommand>({"validate-gitmodules"});
  using Action = DaemonCommand::Action;
  EXPECT_EQ(parsed<DaemonCommand>({"daemon", "start"}).action, Action::start);
  EXPECT_EQ(parsed<DaemonCommand>({"daemon", "stop"}).action, Action::stop);
  EXPECT_EQ(parsed<DaemonCommand>({"daemon", "restart"}).action, Action::restart);
  EXPECT_EQ(parsed<DaemonCommand>({"daemon", "status"}).action, Action::status);
  EXPECT_EQ(parsed<DaemonCommand>({"daemon", "socket"}).action, Action::socket);
}

TEST(Options, TakeTheGlobalOnesBeforeAndAfterTheVerb) {
  Globals globals;
  parsed<ListCommand>({"--pool", "k", "--socket", "/s", "--json", "-q", "ls"}, &globals);
  EXPECT_EQ(globals.pool, "k");
  EXPECT_EQ(globals.socket, "/s");
  EXPECT_TRUE(globals.json);
  EXPECT_EQ(globals.loudness, Loudness::quiet);
  parsed<AcquireCommand>({"acquire", "x", "--pool=k2", "--json", "-v"}, &globals);
  EXPECT_EQ(globals.pool, "k2");
  EXPECT_TRUE(globals.json);
  EXPECT_EQ(globals.loudness, Loudness::verbose);
}

TEST(Options, TakeANameThatIsAlsoAVerb) {
  EXPECT_EQ(parsed<AcquireCommand>({"acquire", "ls"}).name, "ls");
  EXPECT_EQ(parsed<PathCommand>({"path", "status"}).target, "status");
  EXPECT_EQ(parsed<ReleaseCommand>({"release", "release"}).target, "release");
}

TEST(Options, TakeANameThatLooksLikeAnOptionAfterTwoDashes) {
  EXPECT_EQ(parsed<AcquireCommand>({"acquire", "--", "-x"}).name, "-x");
  EXPECT_EQ(parsed<AcquireCommand>({"acquire", "--key", "k", "--", "--json"}).name, "--json");
}

TEST(Options, KeepOddNamesAsTheyAre) {
  for (const char* name : {"", "a b", "[x,y]", "%%", "'q'", "a=b", "\xff", "{}", "x,y"}) {
    EXPECT_EQ(parsed<AcquireCommand>({"acquire", name}).name, name);
  }
}

class WrongUsage : public ::testing::TestWithParam<std::vector<const char*>> {};

TEST_P(WrongUsage, ExitsWith2AndSaysWhy) {
  const auto result = parse(GetParam());
  const auto* text = std::get_if<Told>(&result);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->exit_code, 2);
  EXPECT_TRUE(text->text.starts_with("wtpool: cannot read the command line: ")) << text->text;
  EXPECT_NE(text->text.find("\nhint: wtpool "), std::string::npos) << text->text;
}

INSTANTIATE_TEST_SUITE_P(
    Options, WrongUsage,
    ::testing::Values(
        std::vector<const char*>{}, std::vector<const char*>{"frobnicate"}, std::vector<const char*>{"--nope", "ls"},
        std::vector<const char*>{"acquire"}, std::vector<const char*>{"acquire", "a", "b"},
        std::vector<const char*>{"acquire", "a", "--resume", "--replace"}, std::vector<const char*>{"acquire", "a", "--commit"},
        std::vector<const char*>{"acquire", "-x"}, std::vector<const char*>{"release", "a", "--discard", "--refuse-dirty"},
        std::vector<const char*>{"release", "a", "b"}, std::vector<const char*>{"init"},
        std::vector<const char*>{"init", "--source", ""}, std::vector<const char*>{"release", "--lease", ""},
        std::vector<const char*>{"init", "--source", "x", "--default-commit", ""},
        std::vector<const char*>{"init", "--source", "x", "--submodule-mirror-mode", "git-modules", "--submodule-mirror-base",
                                 ""},
        std::vector<const char*>{"init", "--source", "x", "--max-slots", "many"},
        std::vector<const char*>{"init", "--source", "x", "--max-slots", "0"},
        std::vector<const char*>{"init", "--source", "x", "--submodule-mirror-mode", "git-modules"},
        std::vector<const char*>{"init", "--source", "x", "--submodule-mirror-mode", "odd", "--submodule-mirror-base", "b"},
        std::vector<const char*>{"remove"}, std::vector<const char*>{"inspect"}, std::vector<const char*>{"path"},
        std::vector<const char*>{"repair"}, std::vector<const char*>{"daemon"}, std::vector<const char*>{"daemon", "dance"},
        std::vector<const char*>{"-q", "-v", "ls"}, std::vector<const char*>{"ls", "status"},
        std::vector<const char*>{"ls", "--wait"}, std::vector<const char*>{"acquire", "x", "--wait="},
        std::vector<const char*>{"acquire", "x", "--wait=5"}, std::vector<const char*>{"acquire", "x", "--wait", "5s"},
        std::vector<const char*>{"acquire", "x", "--wait=true"}, std::vector<const char*>{"acquire", "x", "--ttl", "0s"},
        std::vector<const char*>{"acquire", "x", "--ttl"}, std::vector<const char*>{"acquire", "x", "--ttl", "soon"},
        std::vector<const char*>{"acquire", "x", "--owner-pid", "0"},
        std::vector<const char*>{"acquire", "x", "--owner-pid", "me"}, std::vector<const char*>{"renew"},
        std::vector<const char*>{"renew", "x", "--ttl", "-1s"}, std::vector<const char*>{"trash"},
        std::vector<const char*>{"trash", "restore"}, std::vector<const char*>{"trash", "drop"},
        std::vector<const char*>{"trash", "ls", "x"}, std::vector<const char*>{"watch", "x"}));

TEST(Options, AnswerAWordThatNothingTakesWithWhatWasMeant) {
  const auto said = [](std::vector<const char*> words) {
    const auto result = parse(std::move(words));
    const auto* told = std::get_if<Told>(&result);
    return told == nullptr ? std::string("no error") : told->text.substr(0, told->text.find('\n'));
  };
  const std::string sorry = "wtpool: cannot read the command line: ";
  EXPECT_EQ(said({"acquire", "-x"}), sorry + "there is no option '-x'");
  EXPECT_EQ(said({"acquire", "a", "--foo"}), sorry + "there is no option '--foo'");
  EXPECT_EQ(said({"acquire", "a", "--wait", "5s"}), sorry + "the time to wait is written with '=', as --wait=5s");
  EXPECT_EQ(said({"acquire"}), sorry + "NAME is required");
}

TEST(Options, HelpListsVerbsAndExitCodes) {
  const auto result = parse({"--help"});
  const auto* text = std::get_if<Told>(&result);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->exit_code, 0);
  for (const char* word :
       {"acquire", "release", "doctor", "validate-gitmodules", "Exit codes:", "   4  every slot", "  13  "}) {
    EXPECT_NE(text->text.find(word), std::string::npos) << word << "\n" << text->text;
  }
  EXPECT_EQ(told({"acquire", "--help"}), 0);
  EXPECT_EQ(told({"--version"}), 0);
}

}  // namespace
}  // namespace wtpool::client
