// A carried path of a warm slot whose guard is another one now gives way to the template's.
#pragma once

#include <string>
#include <vector>

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// Of `stale`, those that the group's template has and whose guards are the ones of `commit` are replaced by it, and taken out
// of `stale`; what they are is added to `creation`. What cannot be replaced stays, with a warning.
void restock(const JobContext& job, const std::optional<std::string>& group, const Oid& commit, std::vector<std::string>& stale,
             proto::Creation& creation, std::vector<std::string>& warnings);

// What a kill left of that, in the slot: half a clone, or what it has replaced.
void remove_half_restocked(const disk::path& slot);

}  // namespace wtpool::jobs
