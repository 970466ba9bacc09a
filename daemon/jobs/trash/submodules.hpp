// Submodules that a holder filled by hand, kept before something takes them away: whole, as they are, among the trash's files.
#pragma once

#include "daemon/jobs/trash/save.hpp"

namespace wtpool::jobs {

// Before an entry is removed: what stands in its modules/ goes to the trash. True when there was any. Safe to repeat.
bool keep_submodule_repositories(const ServedPool& pool, const SlotId& slot, const std::string& git_id, const std::string& name,
                                 const std::string& trash_id);

// In a tree that was reset: submodules that do not stand untouched at their commit go to the trash, with their repositories,
// and are empty then, as in a new slot. So does whatever repository stands in such a place. What to tell whoever had the slot;
// nothing when there was none.
[[nodiscard]] std::vector<std::string> set_submodules_aside(const JobContext& job, const git::Git& slot,
                                                            const std::string& name, const std::string& trash_id);

// Before a tree is removed: submodules with changes, and files in the place of one, go to the trash. True when there were any.
// Refuses, `dirty`, where another repository stands anywhere below: `nested`, which git names, and those in what it ignores,
// but for copies of somebody else's with nothing of their own, as build tools make them.
bool keep_submodule_trees(const JobContext& job, const git::Git& slot, const std::vector<std::string>& nested,
                          const std::string& trash_id);

}  // namespace wtpool::jobs
