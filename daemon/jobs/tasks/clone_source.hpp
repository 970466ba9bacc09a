// A source from a URL: the mirror of it that a new pool will serve.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// The git directory of the mirror of `params.source`, a URL: the one that is there, or one made now, its progress reported.
// Refuses (invalid_params) a URL with a password in it.
[[nodiscard]] std::string mirror_for_pool(const JobContext& job, const proto::PoolInitParams& params);

// For a git context: what git prints while it fetches goes to those who wait for the job.
[[nodiscard]] std::function<void(std::string_view)> fetch_progress(const JobContext& job);

}  // namespace wtpool::jobs
