// The slot of a CI job: taken with what the job's own variables say, and given back however the job ends. A worker is a shell
// under the name of the system's own process, since that name is what the lease's owner is found by.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Ci : public ::testing::Test {
 protected:
  World world;
  Repo repo = world.make_repo();

  void SetUp() override {
    world.start_daemon();
    world.init(repo, {"--max-slots", "2"});
    fs::create_directories(world.dir() / "bin");
  }

  // A copy of the shell, called as the system calls its process.
  [[nodiscard]] std::string worker(const std::string& name) const {
    const fs::path program = world.dir() / "bin" / name;
    if (!fs::exists(program)) fs::copy_file(fs::canonical("/bin/bash"), program);
    return program.string();
  }
  [[nodiscard]] Command job(const std::string& worker_name, const std::string& script, Environment variables) const {
    Environment environment = world.environment;
    for (auto& [name, value] : variables) environment[name] = value;
    environment["PATH"] = WTPOOL_BIN_DIR ":" + environment["PATH"];
    return {{worker(worker_name), "-c", script + "\nexit $?"}, environment, world.dir()};
  }
  [[nodiscard]] Environment github(const std::string& commit) const {
    return {{"GITHUB_ACTIONS", "true"},
            {"GITHUB_RUN_ID", "4711"},
            {"GITHUB_RUN_ATTEMPT", "1"},
            {"GITHUB_JOB", "build"},
            {"RUNNER_NAME", "agent1"},
            {"GITHUB_SHA", commit},
            {"GITHUB_REF", "refs/heads/main"},
            {"GITHUB_OUTPUT", (world.dir() / "output").string()},
            {"GITHUB_ENV", (world.dir() / "env").string()}};
  }
};

TEST_F(Ci, BeginTakesASlotAtTheJobsCommitAndEndGivesItBack) {
  const std::string old = repo.head();
  static_cast<void>(repo.commit("later", "x\n"));
  const Outcome done = run(job("Runner.Worker",
                               "d=$(wtpool ci begin) && git -C \"$d\" rev-parse HEAD && wtpool ls --json && wtpool ci end && "
                               "wtpool ci end",
                               github(old)));
  ASSERT_EQ(done.code, 0) << done;
  const auto lines = lines_of(done.out);
  ASSERT_EQ(lines.size(), 2u) << done;
  EXPECT_EQ(lines[0], old);
  const json slots = json::parse(lines[1]);
  EXPECT_EQ(slots[0]["name"], "ci/agent1/build-4711");
  EXPECT_EQ(slots[0]["lease"]["kind"], "process") << "it ends with the worker";
  EXPECT_NE(done.err.find("already released"), std::string::npos) << "a second end is no failure";
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  const std::string output = read_text(world.dir() / "output");
  EXPECT_NE(output.find("path="), std::string::npos) << output;
  EXPECT_NE(output.find("commit=" + old + "\n"), std::string::npos) << output;
  EXPECT_NE(output.find("fresh=true\n"), std::string::npos) << output;
  EXPECT_NE(read_text(world.dir() / "env").find("WTPOOL_LEASE="), std::string::npos);
}

TEST_F(Ci, ALaterStepEndsItsOwnLeaseWithWhatTheFirstOneWrote) {
  const Outcome done =
      run(job("Runner.Worker",
              "wtpool ci begin >/dev/null && echo work >>\"$(sed -n 's/^path=//p' \"$GITHUB_OUTPUT\")/README.md\" "
              "&& env $(cat \"$GITHUB_ENV\") wtpool ci end",
              github(repo.head())));
  ASSERT_EQ(done.code, 0) << done;
  EXPECT_NE(done.err.find("kept as"), std::string::npos) << done;
  EXPECT_EQ(world.json_of({"trash", "ls"})[0]["name"], "ci/agent1/build-4711");
}

TEST_F(Ci, AWorkerThatIsKilledGivesItsSlotBackAndItsWorkIsKept) {
  Process worker =
      Process(job("Runner.Worker", "d=$(wtpool ci begin) && echo work >>\"$d/README.md\" && echo ready >ready && sleep 600",
                  github(repo.head())));
  ASSERT_TRUE(wait_until([&] { return fs::exists(world.dir() / "ready"); })) << worker.err_so_far();
  EXPECT_EQ(world.state_of("slot-0"), "held");
  worker.signal(SIGKILL);
  worker.wait();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_EQ(world.json_of({"trash", "ls"}).size(), 1u);
}

TEST_F(Ci, ARunnerThatOutlivesItsJobsIsNoOwnerButTheJobsShellIs) {
  // The runner goes on; the shell of its job, which is below it, ends.
  const Environment variables = {{"GITLAB_CI", "true"},         {"CI_JOB_ID", "9"},        {"CI_JOB_NAME", "test"},
                                 {"CI_RUNNER_ID", "3"},         {"CI_CONCURRENT_ID", "0"}, {"CI_COMMIT_SHA", repo.head()},
                                 {"CI_COMMIT_REF_NAME", "main"}};
  Process runner = Process(job(
      "gitlab-runner", "bash -c 'wtpool ci begin >path; wtpool ls --json >held; :'; echo over >over; sleep 600", variables));
  ASSERT_TRUE(wait_until([&] { return fs::exists(world.dir() / "over"); })) << runner.err_so_far();
  EXPECT_EQ(json::parse(read_text(world.dir() / "held"))[0]["lease"]["kind"], "process");
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle")) << "the job's shell is gone";
  EXPECT_TRUE(runner.running());
}

TEST_F(Ci, WithoutItsSystemsProcessTheLeaseHasATime) {
  const Environment variables = {{"GITLAB_CI", "true"},
                                 {"CI_JOB_ID", "9"},
                                 {"CI_JOB_NAME", "test"},
                                 {"CI_JOB_TIMEOUT", "100"},
                                 {"CI_COMMIT_SHA", repo.head()}};
  ASSERT_EQ(run(job("container", "wtpool ci begin", variables)).code, 0);
  const json slot = world.slot("slot-0");
  EXPECT_EQ(slot["lease"]["kind"], "durable");
  EXPECT_EQ(slot["lease"]["ttl_seconds"], 700);
}

TEST_F(Ci, ACommitThatIsNowhereIsLookedForUnderItsRef) {
  const Outcome done = run(job("Runner.Worker", "wtpool ci begin", [&] {
    Environment variables = github(std::string(40, 'a'));
    variables["GITHUB_REF"] = "refs/tags/v1";
    repo.git({"tag", "v1"});
    return variables;
  }()));
  ASSERT_EQ(done.code, 0) << done;
  EXPECT_NE(done.err.find("nowhere any more"), std::string::npos) << done;
}

TEST_F(Ci, BeginForBuildkitePrintsWhatItsHookEvaluates) {
  const Environment variables = {{"BUILDKITE", "true"},
                                 {"BUILDKITE_JOB_ID", "u"},
                                 {"BUILDKITE_AGENT_NAME", "a"},
                                 {"BUILDKITE_PIPELINE_SLUG", "p"},
                                 {"BUILDKITE_COMMIT", repo.head()}};
  const Outcome done =
      run(job("buildkite-agent",
              "eval \"$(wtpool ci begin --env)\" && cd \"$BUILDKITE_BUILD_CHECKOUT_PATH\" && git rev-parse HEAD "
              "&& wtpool ci end",
              variables));
  ASSERT_EQ(done.code, 0) << done;
  EXPECT_EQ(trimmed(done.out), repo.head());
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
}

TEST_F(Ci, OutsideOfAJobItSaysSo) {
  const Outcome done = run(job("bash", "wtpool ci begin", {}));
  EXPECT_EQ(done.code, 2) << done;
  EXPECT_NE(done.err.find("no variable of GitHub Actions"), std::string::npos) << done;
}

TEST_F(Ci, PrintTouchesNothing) {
  const Outcome done = run(job("Runner.Worker", "wtpool ci begin --print", github(repo.head())));
  EXPECT_EQ(done.code, 0) << done;
  EXPECT_NE(done.out.find("wtpool acquire ci/agent1/build-4711 --key github:4711:1:build:agent1"), std::string::npos) << done;
  EXPECT_NE(done.out.find("--owner-pid"), std::string::npos) << done;
  EXPECT_EQ(world.state_of("slot-0"), "fresh");
}

}  // namespace
}  // namespace wtpool::test
