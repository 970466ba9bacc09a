// The files that stay untracked in a slot from one lease to the next.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// Remembers what stays untracked, for the next holder's dirt to be told apart.
void remember_untracked(const JobContext& job, const std::string& git_id, const std::vector<std::string>& untracked);
// Those of `untracked` that are not remembered, or differ.
[[nodiscard]] std::vector<std::string> new_untracked(const JobContext& job, const std::string& git_id,
                                                     const std::vector<std::string>& untracked);

// Moves what stands untracked where `to` has files into the trash. The trash id, if anything was moved.
[[nodiscard]] std::optional<std::string> clear_the_way(const JobContext& job, const git::Git& slot, const Oid& from,
                                                       const Oid& to, const std::string& trash_id, const std::string& name,
                                                       const std::string& git_id, const LeaseId& lease_id);

}  // namespace wtpool::jobs
