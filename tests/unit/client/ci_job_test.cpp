#include "client/verbs/ci_job.hpp"

#include <gtest/gtest.h>

#include <map>

#include "common/base/names.hpp"

namespace wtpool::client {
namespace {

Variables of(std::map<std::string, std::string, std::less<>> set) {
  return [set = std::move(set)](std::string_view name) -> std::optional<std::string> {
    const auto found = set.find(name);
    return found == set.end() || found->second.empty() ? std::nullopt : std::optional(found->second);
  };
}

const std::map<std::string, std::string, std::less<>> kGithub = {
    {"GITHUB_ACTIONS", "true"},          {"GITHUB_RUN_ID", "4711"},
    {"GITHUB_RUN_ATTEMPT", "2"},         {"GITHUB_JOB", "unit tests"},
    {"RUNNER_NAME", "Büro/1"},           {"GITHUB_SHA", "abc"},
    {"GITHUB_REF", "refs/pull/7/merge"}, {"GITHUB_SERVER_URL", "https://forge.example"},
    {"GITHUB_REPOSITORY", "a/b"}};

TEST(CiJob, IsKnownByTheVariableThatItsSystemSets) {
  EXPECT_EQ(ci_system(of(kGithub)), CiSystem::github);
  EXPECT_EQ(ci_system(of({{"GITLAB_CI", "true"}})), CiSystem::gitlab);
  EXPECT_EQ(ci_system(of({{"BUILDKITE", "true"}})), CiSystem::buildkite);
  EXPECT_EQ(ci_system(of({{"JENKINS_URL", "http://localhost"}})), CiSystem::jenkins);
  EXPECT_FALSE(ci_system(of({})));
  EXPECT_FALSE(ci_system(of({{"GITLAB_CI", ""}}))) << "an empty variable says nothing";
}

TEST(CiJob, OfGithubIsNamedAfterRunnerJobAndRun) {
  const CiJob job = ci_job(CiSystem::github, of(kGithub));
  EXPECT_EQ(job.name, "ci/B-ro-1/unit-tests-4711");
  EXPECT_EQ(job.key, "github:4711:2:unit tests:Büro/1");
  EXPECT_EQ(job.commit, "abc");
  EXPECT_EQ(job.ref, "refs/pull/7/merge") << "what a pull request is built at";
  EXPECT_EQ(job.url, "https://forge.example/a/b/actions/runs/4711");
  EXPECT_EQ(job.owner->program, "Runner.Worker");
}

TEST(CiJob, OfGitlabSaysTagMergeRequestOrBranch) {
  std::map<std::string, std::string, std::less<>> set = {
      {"CI_JOB_ID", "9"},        {"CI_JOB_NAME", "build: [x, y]"}, {"CI_RUNNER_ID", "12"},
      {"CI_CONCURRENT_ID", "3"}, {"CI_COMMIT_REF_NAME", "main"},   {"CI_JOB_TIMEOUT", "3600"}};
  CiJob job = ci_job(CiSystem::gitlab, of(set));
  EXPECT_EQ(job.name, "ci/12.3/build-x-y-9");
  EXPECT_EQ(job.ref, "refs/heads/main");
  EXPECT_EQ(job.ttl, std::chrono::seconds(3600 + 600));
  EXPECT_TRUE(job.owner->child_of_it);
  set["CI_MERGE_REQUEST_REF_PATH"] = "refs/merge-requests/1/head";
  EXPECT_EQ(ci_job(CiSystem::gitlab, of(set)).ref, "refs/merge-requests/1/head");
  set["CI_COMMIT_TAG"] = "v1";
  EXPECT_EQ(ci_job(CiSystem::gitlab, of(set)).ref, "refs/tags/v1");
}

TEST(CiJob, OfBuildkiteWithoutACommitTakesItsRef) {
  const CiJob job = ci_job(CiSystem::buildkite, of({{"BUILDKITE_JOB_ID", "u-u"},
                                                    {"BUILDKITE_AGENT_NAME", "host-1"},
                                                    {"BUILDKITE_PIPELINE_SLUG", "app"},
                                                    {"BUILDKITE_BUILD_NUMBER", "5"},
                                                    {"BUILDKITE_COMMIT", "HEAD"},
                                                    {"BUILDKITE_PULL_REQUEST", "false"},
                                                    {"BUILDKITE_BRANCH", "dev"}}));
  EXPECT_EQ(job.name, "ci/host-1/app-5");
  EXPECT_FALSE(job.commit);
  EXPECT_EQ(job.ref, "refs/heads/dev");
  proto::AcquireResult lease;
  lease.path = "/p o o l/slot-0";
  EXPECT_NE(shell_exports(ci_exports(job, lease)).find("export BUILDKITE_BUILD_CHECKOUT_PATH='/p o o l/slot-0'\n"),
            std::string::npos);
}

TEST(CiJob, OfJenkinsHasNoOwner) {
  const CiJob job = ci_job(CiSystem::jenkins, of({{"JOB_NAME", "folder/app"}, {"BUILD_NUMBER", "8"}, {"NODE_NAME", "n1"}}));
  EXPECT_EQ(job.name, "ci/n1.0/folder-app-8");
  EXPECT_FALSE(job.owner);
  EXPECT_GT(job.ttl.count(), 0);
}

TEST(CiJob, SaysWhichVariableIsMissing) {
  try {
    static_cast<void>(ci_job(CiSystem::gitlab, of({{"CI_JOB_ID", "1"}})));
    ADD_FAILURE() << "a job without a name";
  } catch (const proto::Error& error) {
    EXPECT_NE(error.message.find("CI_JOB_NAME"), std::string::npos) << error.message;
  }
}

TEST(CiJob, HasAGoodNameWhateverItsVariablesHold) {
  for (const std::string& odd : std::initializer_list<std::string>{"..", ".lock", "a.lock", "-", "@{", "HEAD", "ä", "a//b",
                                                                   "\n", std::string(300, 'x')}) {
    auto set = kGithub;
    set["GITHUB_JOB"] = set["RUNNER_NAME"] = set["GITHUB_RUN_ID"] = odd;
    const CiJob job = ci_job(CiSystem::github, of(set));
    EXPECT_FALSE(bad_name(job.name)) << job.name;
  }
}

TEST(CiJob, ValuesOfSeveralLinesAreWrittenBetweenMarkers) {
  EXPECT_EQ(github_lines({{"A", "1"}, {"B", "x\nEND_OF_VALUE\ny"}}),
            "A=1\nB<<END_OF_VALUE_\nx\nEND_OF_VALUE\ny\nEND_OF_VALUE_\n");
}

}  // namespace
}  // namespace wtpool::client
