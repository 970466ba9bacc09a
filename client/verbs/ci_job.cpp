#include "client/verbs/ci_job.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "proto/shell_word.hpp"

namespace wtpool::client {
namespace {

using namespace std::chrono_literals;
using proto::Error;
using proto::ErrorKind;

struct SystemRow {
  CiSystem system;
  std::string_view name;
  std::string_view sign;  // the variable that every job of the system has
};
constexpr std::array kSystems{
    SystemRow{CiSystem::github, "github", "GITHUB_ACTIONS"}, SystemRow{CiSystem::gitlab, "gitlab", "GITLAB_CI"},
    SystemRow{CiSystem::buildkite, "buildkite", "BUILDKITE"}, SystemRow{CiSystem::jenkins, "jenkins", "JENKINS_URL"}};

constexpr std::size_t kLongestPart = 70;              // three parts fit into a NAME
constexpr std::chrono::seconds kAfterTheEnd = 10min;  // a job that is at its limit still tidies up
constexpr std::chrono::seconds kGithubLimit = 6h;     // what the system itself allows when nothing else is said
constexpr std::chrono::seconds kNoLimitSaid = 24h;

// One component of a NAME: what a branch cannot have becomes '-', and so does every letter beyond ASCII.
std::string part(std::string_view text) {
  std::string made;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    const char next = plain ? c : '-';
    if ((next == '-' || next == '.') && (made.empty() || made.back() == '-' || made.back() == '.')) continue;
    made += next;
  }
  if (made.size() > kLongestPart) made.resize(kLongestPart);
  while (!made.empty() && (made.back() == '-' || made.back() == '.')) made.pop_back();
  if (made.ends_with(".lock")) made.resize(made.size() - 5);
  return made.empty() ? "job" : made;
}

std::string needed(const Variables& variables, std::string_view name, CiSystem system) {
  if (auto value = variables(name)) return *value;
  throw Error(ErrorKind::invalid_params,
              "cannot tell which " + std::string(to_text(system)) + " job this is: " + std::string(name) + " is not set");
}

std::string either(const Variables& variables, std::string_view first, std::string_view otherwise) {
  return variables(first).value_or(std::string(otherwise));
}

// A time limit that a system gives as a number of `unit`.
std::chrono::seconds limit_of(const Variables& variables, std::string_view name, std::chrono::seconds unit,
                              std::chrono::seconds otherwise) {
  const auto text = variables(name);
  long count = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), count).ec != std::errc{} || count <= 0)
    return otherwise;
  return unit * count + kAfterTheEnd;
}

std::optional<std::string> branch_ref(const std::optional<std::string>& branch) {
  if (!branch) return std::nullopt;
  return "refs/heads/" + *branch;
}

CiJob github(const Variables& variables) {
  CiJob job;
  const std::string run = needed(variables, "GITHUB_RUN_ID", CiSystem::github);
  const std::string step = needed(variables, "GITHUB_JOB", CiSystem::github);
  const std::string agent = either(variables, "RUNNER_NAME", "runner");
  job.name = "ci/" + part(agent) + "/" + part(step) + "-" + part(run);
  job.key = "github:" + run + ":" + either(variables, "GITHUB_RUN_ATTEMPT", "1") + ":" + step + ":" + agent;
  job.commit = variables("GITHUB_SHA");
  job.ref = variables("GITHUB_REF");
  const auto server = variables("GITHUB_SERVER_URL");
  const auto repository = variables("GITHUB_REPOSITORY");
  if (server && repository) job.url = *server + "/" + *repository + "/actions/runs/" + run;
  job.owner = CiOwner{"Runner.Worker", false};
  job.ttl = kGithubLimit + kAfterTheEnd;
  return job;
}

CiJob gitlab(const Variables& variables) {
  CiJob job;
  const std::string id = needed(variables, "CI_JOB_ID", CiSystem::gitlab);
  const std::string step = needed(variables, "CI_JOB_NAME", CiSystem::gitlab);
  const std::string agent = either(variables, "CI_RUNNER_ID", "runner") + "." + either(variables, "CI_CONCURRENT_ID", "0");
  job.name = "ci/" + part(agent) + "/" + part(step) + "-" + part(id);
  job.key = "gitlab:" + id;
  job.commit = variables("CI_COMMIT_SHA");
  if (const auto tag = variables("CI_COMMIT_TAG"))
    job.ref = "refs/tags/" + *tag;
  else if (auto request = variables("CI_MERGE_REQUEST_REF_PATH"))
    job.ref = request;
  else
    job.ref = branch_ref(variables("CI_COMMIT_REF_NAME"));
  job.url = variables("CI_JOB_URL");
  job.owner = CiOwner{"gitlab-runner", true};
  job.ttl = limit_of(variables, "CI_JOB_TIMEOUT", 1s, 1h + kAfterTheEnd);
  return job;
}

CiJob buildkite(const Variables& variables) {
  CiJob job;
  const std::string id = needed(variables, "BUILDKITE_JOB_ID", CiSystem::buildkite);
  const std::string agent = either(variables, "BUILDKITE_AGENT_NAME", "agent");
  const std::string step = either(variables, "BUILDKITE_STEP_KEY", either(variables, "BUILDKITE_PIPELINE_SLUG", "job"));
  job.name = "ci/" + part(agent) + "/" + part(step) + "-" + part(either(variables, "BUILDKITE_BUILD_NUMBER", "0"));
  job.key = "buildkite:" + id;
  // HEAD stands for a build of "the newest commit" whose id is not known yet.
  if (const auto commit = variables("BUILDKITE_COMMIT"); commit && *commit != "HEAD") job.commit = commit;
  const auto request = variables("BUILDKITE_PULL_REQUEST");
  if (const auto tag = variables("BUILDKITE_TAG"))
    job.ref = "refs/tags/" + *tag;
  else if (request && *request != "false")
    job.ref = "refs/pull/" + *request + "/head";
  else
    job.ref = branch_ref(variables("BUILDKITE_BRANCH"));
  if (const auto build = variables("BUILDKITE_BUILD_URL")) job.url = *build + "#" + id;
  job.owner = CiOwner{"buildkite-agent", false};
  job.ttl = limit_of(variables, "BUILDKITE_TIMEOUT", 60s, kNoLimitSaid);
  return job;
}

CiJob jenkins(const Variables& variables) {
  CiJob job;
  const std::string step = needed(variables, "JOB_NAME", CiSystem::jenkins);
  const std::string number = needed(variables, "BUILD_NUMBER", CiSystem::jenkins);
  const std::string agent = either(variables, "NODE_NAME", "node") + "." + either(variables, "EXECUTOR_NUMBER", "0");
  job.name = "ci/" + part(agent) + "/" + part(step) + "-" + part(number);
  job.key = "jenkins:" + step + ":" + number + ":" + agent;
  job.commit = variables("GIT_COMMIT");
  if (const auto tag = variables("TAG_NAME"))
    job.ref = "refs/tags/" + *tag;
  else if (const auto change = variables("CHANGE_ID"))
    job.ref = "refs/pull/" + *change + "/head";
  else
    job.ref = branch_ref(variables("BRANCH_NAME"));
  job.url = variables("BUILD_URL");
  job.ttl = kNoLimitSaid;  // the agent's own process outlives its builds, and is no owner of one
  return job;
}

}  // namespace

std::string_view to_text(CiSystem system) { return std::ranges::find(kSystems, system, &SystemRow::system)->name; }

std::optional<CiSystem> ci_system_from_text(std::string_view text) {
  const auto row = std::ranges::find(kSystems, text, &SystemRow::name);
  return row == kSystems.end() ? std::nullopt : std::optional(row->system);
}

std::optional<CiSystem> ci_system(const Variables& variables) {
  const auto row = std::ranges::find_if(kSystems, [&](const SystemRow& each) { return variables(each.sign).has_value(); });
  return row == kSystems.end() ? std::nullopt : std::optional(row->system);
}

CiJob ci_job(CiSystem system, const Variables& variables) {
  CiJob job = system == CiSystem::github      ? github(variables)
              : system == CiSystem::gitlab    ? gitlab(variables)
              : system == CiSystem::buildkite ? buildkite(variables)
                                              : jenkins(variables);
  job.system = system;
  return job;
}

std::vector<std::pair<std::string, std::string>> ci_exports(const CiJob& job, const proto::AcquireResult& lease) {
  std::vector<std::pair<std::string, std::string>> variables = {
      {"WTPOOL_POOL", lease.pool}, {"WTPOOL_SLOT", lease.slot},      {"WTPOOL_PATH", lease.path},
      {"WTPOOL_NAME", lease.name}, {"WTPOOL_LEASE", lease.lease_id}, {"WTPOOL_FRESH", lease.fresh ? "1" : "0"}};
  if (lease.port_base) variables.emplace_back("WTPOOL_PORT_BASE", std::to_string(*lease.port_base));
  if (job.system == CiSystem::buildkite) variables.emplace_back("BUILDKITE_BUILD_CHECKOUT_PATH", lease.path);
  return variables;
}

std::string shell_exports(const std::vector<std::pair<std::string, std::string>>& variables) {
  std::string text;
  for (const auto& [name, value] : variables) {
    text += "export " + name + "=" + (value.empty() ? "''" : proto::shell_word(value)) + "\n";
  }
  return text;
}

std::string github_lines(const std::vector<std::pair<std::string, std::string>>& variables) {
  std::string text;
  for (const auto& [name, value] : variables) {
    if (value.find('\n') == std::string::npos) {
      text += name + "=" + value + "\n";
      continue;
    }
    std::string marker = "END_OF_VALUE";
    while (value.find(marker) != std::string::npos) marker += "_";
    text += name + "<<" + marker + "\n" + value + "\n" + marker + "\n";
  }
  return text;
}

}  // namespace wtpool::client
