// What a CI system says of the job that runs: read from the variables it sets, as values. Pure; throws proto::Error
// (invalid_params) when a variable that every job of that system has is missing.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/messages.hpp"

namespace wtpool::client {

enum class CiSystem { github, gitlab, buildkite, jenkins };
[[nodiscard]] std::string_view to_text(CiSystem system);
[[nodiscard]] std::optional<CiSystem> ci_system_from_text(std::string_view text);

using Variables = std::function<std::optional<std::string>(std::string_view name)>;  // an empty variable counts as absent

// Which process the lease depends on: the nearest ancestor called `program`, or the one just below it.
struct CiOwner {
  std::string program;
  bool child_of_it = false;  // the job's own shell below a runner that outlives it
};

struct CiJob {
  CiSystem system = CiSystem::github;
  std::string name;  // of the lease: ci/<agent>/<job>-<number>, so that an agent's next job is given the same slot
  std::string key;   // one for each run of the job: asked twice, the same lease comes back
  std::optional<std::string> commit;  // the id the job is about
  std::optional<std::string> ref;     // the full name under which a remote has that commit
  std::optional<std::string> url;     // of the job's page
  std::optional<CiOwner> owner;
  std::chrono::seconds ttl{0};  // of a lease without an owner: as long as the job may take, and some time more
};

// The system whose variables are set; null outside of a job.
[[nodiscard]] std::optional<CiSystem> ci_system(const Variables& variables);
[[nodiscard]] CiJob ci_job(CiSystem system, const Variables& variables);

// Name and value of each variable that later steps of the job are given.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> ci_exports(const CiJob& job, const proto::AcquireResult& lease);
// As lines for a POSIX shell: export NAME='value'.
[[nodiscard]] std::string shell_exports(const std::vector<std::pair<std::string, std::string>>& variables);
// As GitHub's files take them: NAME=value, or between two markers where the value has several lines.
[[nodiscard]] std::string github_lines(const std::vector<std::pair<std::string, std::string>>& variables);

}  // namespace wtpool::client
