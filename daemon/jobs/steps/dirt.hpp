// What in a held slot is in no commit: for who asks whether its lease may end.
#pragma once

#include <string>
#include <vector>

#include "daemon/git/tree/status.hpp"
#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

struct Dirt {
  std::optional<Oid> head;
  std::vector<std::string> changed;     // tracked files, those that the index hides from git's status included; no submodules
  std::vector<std::string> submodules;  // changed ones
  std::vector<std::string> new_files;   // untracked, and not there when the slot was acquired
  std::vector<std::string> own_refs;    // below refs/worktree/, to commits that no other ref leads to
  [[nodiscard]] bool any() const { return !changed.empty() || !submodules.empty() || !new_files.empty() || !own_refs.empty(); }
};
// Read-only. The place must have been proven, and the grant's slot be that of `slot`.
[[nodiscard]] Dirt dirt_in(const JobContext& job, const git::Git& slot, const std::string& git_id);

}  // namespace wtpool::jobs
