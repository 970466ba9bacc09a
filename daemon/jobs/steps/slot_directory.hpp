// Where a slot is to be made: what may stand there already, and what an attempt that failed leaves in the source.
#pragma once

#include "daemon/git/files/entry.hpp"
#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// A slot that is being removed is renamed to this and its id, below .meta, before it is deleted.
inline constexpr std::string_view kRemoving = "removing-";

// Throws quarantine when something stands there that is no empty directory. True when there is an empty one.
[[nodiscard]] bool refuse_ghost(const JobContext& job);
// Whether an entry that names no directory may be what a git left that was making it, and so be taken away.
[[nodiscard]] bool may_be_cut_off(const JobContext& job, const git::Entry& entry);
// A torn entry that has the slot's name would give the new one another. A commit that its HEAD alone leads to is kept.
void move_torn_entry_aside(const JobContext& job);
// Entries of the slot that were not there `before`.
void remove_new_entries(const JobContext& job, const std::vector<std::string>& before);

// Renames the slot's directory to <pool>/.meta/removing-<slot>, which is to be deleted: at once it is gone from its place, and
// what a kill leaves of it the next start deletes. Never half of it stands where a slot is looked for.
[[nodiscard]] disk::path set_directory_aside(const JobContext& job);
// Takes away the directory of a slot that nobody has seen yet; an empty one that `was_there` before it stands there again.
void take_directory_back(const JobContext& job, bool was_there);

}  // namespace wtpool::jobs
