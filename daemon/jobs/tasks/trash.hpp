// The trash is listed, restored from and emptied.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// The last entry of this pool that keeps work of that NAME.
[[nodiscard]] std::optional<std::string> newest_kept_of(const JobContext& job, const std::string& name);

core::JobDone list_trash(JobContext& job, const core::job::ListTrash& spec);
core::JobDone restore_trash(JobContext& job, const core::job::RestoreTrash& spec);
core::JobDone drop_trash(JobContext& job, const core::job::DropTrash& spec);
core::JobDone expire_trash(JobContext& job, const core::job::ExpireTrash& spec);

}  // namespace wtpool::jobs
