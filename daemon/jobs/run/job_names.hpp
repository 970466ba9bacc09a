// What a job is called in the log.
#pragma once

#include <string_view>

#include "daemon/core/state/job_specs.hpp"

namespace wtpool::jobs {

[[nodiscard]] std::string_view name_of(const core::JobSpec& spec);

}  // namespace wtpool::jobs
