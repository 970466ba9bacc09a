// The recipes of integrations/, run as their systems run them: their variables and files, their hooks in their order, and each
// way a job ends.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

const fs::path kRecipes = fs::path(WTPOOL_SOURCE_DIR) / "integrations";

class Recipes : public ::testing::Test {
 protected:
  World world;
  Repo repo = world.make_repo();

  void SetUp() override {
    world.start_daemon();
    world.init(repo, {"--max-slots", "2"});
    fs::create_directories(world.dir() / "bin");
  }

  // A copy of the shell under the name of the system's own process, which is what a lease's owner is found by.
  [[nodiscard]] std::string worker(const std::string& name) const {
    const fs::path program = world.dir() / "bin" / name;
    if (!fs::exists(program)) fs::copy_file(fs::canonical("/bin/bash"), program);
    return program.string();
  }
  [[nodiscard]] Command job(const std::string& worker_name, const std::string& script, const Environment& variables) const {
    Environment environment = world.environment;
    for (const auto& [name, value] : variables) environment[name] = value;
    environment["PATH"] = WTPOOL_BIN_DIR ":" + environment["PATH"];
    environment["RECIPES"] = kRecipes.string();
    return {{worker(worker_name), "-c", script + "\nexit $?"}, environment, world.dir()};
  }
  [[nodiscard]] bool is_free() const { return world.wait_for_state("slot-0", "idle"); }
};

// The lines of one list of a job in the GitLab file, as the runner's shell gets them.
std::string lines_of_list(const std::string& list) {
  std::string script;
  bool inside = false;
  for (const std::string& line : lines_of(read_text(kRecipes / "gitlab/wtpool.yml"))) {
    if (line.starts_with("  ") && !line.starts_with("   "))
      inside = line == "  " + list + ":";
    else if (inside && line.starts_with("    - "))
      script += line.substr(6) + "\n";
  }
  return script;
}

// ---- GitHub Actions: main.js and post.js with the runner's files; the hooks of a runner ----

class GithubRecipe : public Recipes {
 protected:
  void SetUp() override {
    Recipes::SetUp();
    if (run({{"node", "--version"}, world.environment, {}}).code != 0) GTEST_SKIP() << "there is no node here";
  }
  [[nodiscard]] Environment variables() const {
    return {{"GITHUB_ACTIONS", "true"},
            {"GITHUB_RUN_ID", "7"},
            {"GITHUB_JOB", "build"},
            {"RUNNER_NAME", "one"},
            {"GITHUB_SHA", repo.head()},
            {"GITHUB_REF", "refs/heads/main"},
            {"INPUT_WAIT", "10s"},
            {"GITHUB_OUTPUT", (world.dir() / "output").string()},
            {"GITHUB_ENV", (world.dir() / "env").string()},
            {"GITHUB_STATE", (world.dir() / "state-file").string()}};
  }
  // As a runner goes through a job: main, the job's own step with the variables that main set, post with main's state.
  [[nodiscard]] static std::string steps(const std::string& own) {
    return "node \"$RECIPES/github/main.js\" >main.log || exit 9\n"
           "(export $(cat \"$GITHUB_ENV\"); cd \"$WTPOOL_PATH\" && " +
           own +
           ")\ncode=$?\n"
           "export STATE_taken=$(sed -n 's/^taken=//p' \"$GITHUB_STATE\") $(cat \"$GITHUB_ENV\")\n"
           "node \"$RECIPES/github/post.js\" >post.log\nexit $code";
  }
};

TEST_F(GithubRecipe, GivesTheSlotBackAfterSuccessAndAfterFailure) {
  for (const auto& [own, code] :
       {std::pair{"git status --porcelain >../clean && test ! -s ../clean", 0}, std::pair{"exit 3", 3}}) {
    const Outcome done = run(job("Runner.Worker", steps(own), variables()));
    EXPECT_EQ(done.code, code) << done;
    EXPECT_TRUE(is_free());
    for (const char* file : {"output", "env", "state-file"}) fs::remove(world.dir() / file);
  }
}

TEST_F(GithubRecipe, KeepsWhatACancelledJobDidNotCommitUnderTheJobsName) {
  const Outcome done = run(job("Runner.Worker", steps("echo work >>README.md; kill -TERM $BASHPID; sleep 60"), variables()));
  EXPECT_NE(done.code, 0) << done;
  EXPECT_TRUE(is_free());
  const json trash = world.json_of({"trash", "ls"});
  ASSERT_EQ(trash.size(), 1u);
  EXPECT_EQ(trash[0]["name"], "ci/one/build-7");
}

TEST_F(GithubRecipe, PostDoesNothingWhereMainTookNothing) {
  Environment without = variables();
  without["GITHUB_SHA"] = std::string(40, 'e');
  without["GITHUB_REF"] = "";
  const Outcome done = run(job("Runner.Worker", steps("true"), without));
  EXPECT_EQ(done.code, 9) << done;
  EXPECT_NE(read_text(world.dir() / "main.log").find("::error::"), std::string::npos);
  const Outcome post = run(job("Runner.Worker", "node \"$RECIPES/github/post.js\"", without));
  EXPECT_EQ(post.code, 0) << post;
  EXPECT_EQ(post.out, "");
}

TEST_F(GithubRecipe, AWorkerThatIsKilledBetweenItsStepsFreesTheSlot) {
  Process worker(job("Runner.Worker", "node \"$RECIPES/github/main.js\" && echo >up && sleep 600", variables()));
  ASSERT_TRUE(wait_until([&] { return fs::exists(world.dir() / "up"); })) << worker.err_so_far();
  worker.signal(SIGKILL);
  worker.wait();
  EXPECT_TRUE(is_free());
}

TEST_F(GithubRecipe, HooksOfARunnerNeedNoLineInAWorkflow) {
  const Outcome done = run(job("Runner.Worker",
                               "\"$RECIPES/github/job-started\" >/dev/null && (export $(cat \"$GITHUB_ENV\"); test -d "
                               "\"$WTPOOL_PATH\") && \"$RECIPES/github/job-completed\" && \"$RECIPES/github/job-completed\"",
                               variables()));
  EXPECT_EQ(done.code, 0) << done;
  EXPECT_TRUE(is_free());
}

// ---- GitLab: before_script and script in one shell, after_script in another ----

class GitlabRecipe : public Recipes {
 protected:
  [[nodiscard]] Environment variables(const std::string& id = "9") const {
    return {{"GITLAB_CI", "true"},         {"CI_JOB_ID", id},
            {"CI_JOB_NAME", "test " + id}, {"CI_RUNNER_ID", "3"},
            {"CI_CONCURRENT_ID", id},      {"CI_COMMIT_SHA", repo.head()},
            {"WTPOOL_WAIT", "20s"},        {"CI_COMMIT_REF_NAME", "main"}};
  }
  [[nodiscard]] Command runner(const std::string& own, const Environment& set) const {
    const std::string first = "set -eo pipefail\n" + lines_of_list("before_script") + own;
    write_text(world.dir() / ("first" + set.at("CI_JOB_ID")), first);
    write_text(world.dir() / ("last" + set.at("CI_JOB_ID")), lines_of_list("after_script"));
    return job("gitlab-runner", "bash first$CI_JOB_ID; code=$?; bash last$CI_JOB_ID; exit $code", set);
  }
};

TEST_F(GitlabRecipe, APassingAndAFailingJobSideBySideAreBothReleased) {
  ASSERT_NE(lines_of_list("before_script").find("wtpool ci begin"), std::string::npos);
  ASSERT_NE(lines_of_list("after_script").find("wtpool ci end"), std::string::npos);
  Process good(runner("git rev-parse HEAD; pwd", variables("1")));
  Process bad(runner("exit 4", variables("2")));
  const Outcome passed = good.wait(), failed = bad.wait();
  EXPECT_EQ(passed.code, 0) << passed;
  EXPECT_NE(passed.out.find(repo.head()), std::string::npos) << "the script starts in the slot";
  EXPECT_EQ(failed.code, 4) << failed;
  for (const char* slot : {"slot-0", "slot-1"}) {
    EXPECT_TRUE(wait_until([&] {
      const std::string state = world.state_of(slot);
      return state == "idle" || state == "fresh";
    })) << slot;
  }
}

TEST_F(GitlabRecipe, AJobWhoseShellIsKilledLeaksNothing) {
  Process runner_process(runner("echo work >>README.md; echo $$ >\"$OLDPWD/shell\"; sleep 600", variables()));
  ASSERT_TRUE(wait_until([&] { return !trimmed(read_text(world.dir() / "shell")).empty(); })) << runner_process.err_so_far();
  ::kill(static_cast<pid_t>(std::stol(read_text(world.dir() / "shell"))), SIGKILL);
  static_cast<void>(runner_process.wait());
  EXPECT_TRUE(is_free());
  EXPECT_EQ(world.json_of({"trash", "ls"}).size(), 1u);
}

TEST_F(GitlabRecipe, WithoutAFreeSlotTheJobFailsAndItsScriptDoesNotRun) {
  world.acquire("a");
  world.acquire("b");
  Environment set = variables();
  set["WTPOOL_WAIT"] = "100ms";
  const Outcome done = run(runner("echo ran >\"$HOME/ran\"", set));
  EXPECT_NE(done.code, 0) << done;
  EXPECT_FALSE(fs::exists(world.home() / "ran"));
}

// ---- Buildkite: hooks sourced by the agent's wrapper, whose environment and directory go on ----

class BuildkiteRecipe : public Recipes {
 protected:
  [[nodiscard]] Environment variables() const {
    return {{"BUILDKITE", "true"},
            {"BUILDKITE_JOB_ID", "u-1"},
            {"BUILDKITE_AGENT_NAME", "host-1"},
            {"BUILDKITE_PIPELINE_SLUG", "app"},
            {"BUILDKITE_BUILD_NUMBER", "12"},
            {"BUILDKITE_COMMIT", repo.head()},
            {"BUILDKITE_BRANCH", "main"},
            {"BUILDKITE_PLUGIN_WTPOOL_WAIT", "10s"}};
  }
  [[nodiscard]] static std::string steps(const std::string& own) {
    return ". \"$RECIPES/buildkite/hooks/checkout\" || exit 9\nset +e\n(cd \"$BUILDKITE_BUILD_CHECKOUT_PATH\" && " + own +
           ")\ncode=$?\n. \"$RECIPES/buildkite/hooks/pre-exit\"\nexit $code";
  }
};

TEST_F(BuildkiteRecipe, BuildsInTheSlotAndGivesItBack) {
  const Outcome done = run(job("buildkite-agent", steps("git rev-parse HEAD; exit 5"), variables()));
  EXPECT_EQ(done.code, 5) << done;
  EXPECT_NE(done.out.find(repo.head()), std::string::npos) << done;
  EXPECT_TRUE(is_free());
}

TEST_F(BuildkiteRecipe, AnAgentsNextJobGetsTheSlotItHad) {
  EXPECT_EQ(run(job("buildkite-agent", steps("touch warm.o"), variables())).code, 0);
  EXPECT_TRUE(is_free());
  Environment next = variables();
  next["BUILDKITE_JOB_ID"] = "u-2";
  next["BUILDKITE_BUILD_NUMBER"] = "13";
  const Outcome done = run(job("buildkite-agent", steps("ls warm.o"), next));
  EXPECT_EQ(done.code, 0) << done;
}

TEST_F(BuildkiteRecipe, AnAgentThatIsKilledFreesTheSlot) {
  Process agent(job("buildkite-agent", steps("echo >\"$HOME/up\"; sleep 600"), variables()));
  ASSERT_TRUE(wait_until([&] { return fs::exists(world.home() / "up"); })) << agent.err_so_far();
  agent.signal(SIGKILL);
  agent.wait();
  EXPECT_TRUE(is_free());
}

// ---- Jenkins: what withSlot does, each `sh` a shell of its own ----

TEST_F(Recipes, OfJenkinsTakesAndGivesBackInSeparateShells) {
  const std::string step = read_text(kRecipes / "jenkins/vars/withSlot.groovy");
  ASSERT_NE(step.find("ci begin --for jenkins"), std::string::npos);
  ASSERT_NE(step.find("finally"), std::string::npos) << "it gives back however the body ends";
  const Environment variables = {
      {"JENKINS_URL", "http://localhost"}, {"JOB_NAME", "app"},         {"BUILD_NUMBER", "4"}, {"NODE_NAME", "n"},
      {"GIT_COMMIT", repo.head()},         {"JENKINS_NODE_COOKIE", "c"}};
  const Outcome path = run(job("sh-1", "wtpool ci begin --for jenkins --wait=10s", variables));
  ASSERT_EQ(path.code, 0) << path;
  EXPECT_TRUE(fs::exists(trimmed(path.out)));
  EXPECT_EQ(world.state_of("slot-0"), "held") << "the shell of the step has ended, and the lease is not its own";
  EXPECT_EQ(run(job("sh-2", "wtpool ci end --for jenkins", variables)).code, 0);
  EXPECT_TRUE(is_free());
}

}  // namespace
}  // namespace wtpool::test
