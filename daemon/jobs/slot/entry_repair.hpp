// Worktree entries of the pool's own slots that lost what leads from them to their source or their slot. They stop git in the
// whole source, so whoever starts one that looks at all worktrees has them put right first.
#pragma once

#include "daemon/git/files/entry.hpp"
#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

struct LostPointers {
  std::string git_id;
  SlotId slot;
  std::vector<std::string> files;  // of gitdir and commondir
};

// Of slots that were in use, or are: one whose making was cut off is undone instead. Reading only.
[[nodiscard]] std::vector<LostPointers> find_lost_pointers(const ServedPool& pool, const std::vector<git::Entry>& entries);
// Puts them right and says so in the log.
std::vector<LostPointers> restore_own_entries(const ServedPool& pool);
// The same for the entry of one slot; true when there was something to put right.
bool restore_own_entry(const ServedPool& pool, const std::string& git_id, const SlotId& slot);

}  // namespace wtpool::jobs
