// Where a slot is to be made: what may stand there already, and what an attempt that failed leaves in the source.
#pragma once

#include "daemon/jobs/context.hpp"

namespace wtpool::jobs {

// Throws quarantine when something stands there that is no empty directory. True when there is an empty one.
[[nodiscard]] bool refuse_ghost(const JobContext& job);
// A torn entry that has the slot's name would give the new one another.
void move_torn_entry_aside(const JobContext& job);
// Entries of the slot that were not there `before`.
void remove_new_entries(const JobContext& job, const std::vector<std::string>& before);

}  // namespace wtpool::jobs
