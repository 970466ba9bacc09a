// Ends what a lease left running: processes that carry WTPOOL_LEASE=<id> in their environment, and those of its command's
// group. Nothing else is ever signalled.
#pragma once

#include <optional>

#include "daemon/core/state/values.hpp"

namespace wtpool::jobs {

// SIGTERM, patience, SIGKILL; returns when none of them lives. Throws (quarantine) when some cannot be ended. `group` is the
// leader of the command's process group as it was when the group was made.
void end_lease_processes(const LeaseId& lease, const std::optional<core::Owner>& group);

}  // namespace wtpool::jobs
