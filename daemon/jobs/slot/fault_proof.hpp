// Whose fault is it that git failed in a slot? The slot's only where the same git works beside it: what git, its configuration,
// the source or the disk are to blame for lies in every slot's way, passes by itself, and condemns none.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// `fault`, unless it blames the slot and git, or the places it writes to, fail in the source as well: then the host's.
[[nodiscard]] core::Fault proven_fault(const JobContext& job, core::Fault fault, const core::Error& error);

}  // namespace wtpool::jobs
