// What whoever worked in a slot last left behind beside files: commits on no branch, stashes of operations that did not end, a
// HEAD on a branch. Kept like everything that somebody made, and out of the next holder's way.
#pragma once

#include "daemon/jobs/keep.hpp"

namespace wtpool::jobs {

// What a half-done rebase or merge set aside, which is work. To be called before git::clear_operations.
void keep_autostashes(const JobContext& job, const std::string& git_id, const core::Lease& lease, const std::string& trash_id);

// Where the slot stands detached as it becomes idle. A HEAD that stands elsewhere when it is given out was moved by somebody.
void remember_standing(const JobContext& job, const std::string& git_id, const Oid& at);

// An idle slot of which nobody knows that it is clean, under the marker `acquiring`: git looks, and what somebody did though
// nobody had the slot is kept. Throws quarantine when it could not be.
struct Cleaned {
  std::optional<Oid> head;             // where it stands now, its tree clean and HEAD on no branch
  std::vector<std::string> untracked;  // these stay
  std::vector<std::string> warnings;
};
[[nodiscard]] Cleaned clean_idle(const JobContext& job, const git::Git& slot, const std::string& git_id,
                                 const core::Lease& lease, const std::string& trash_id);

}  // namespace wtpool::jobs
