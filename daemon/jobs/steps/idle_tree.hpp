// An idle slot that something changed: commits, autostashes and branches found there are kept before the slot is handed out.
#pragma once

#include "daemon/git/tree/status.hpp"
#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// Where the slot stands detached as it becomes idle. A HEAD that stands elsewhere when it is given out was moved by somebody.
void remember_standing(const JobContext& job, const std::string& git_id, const Oid& at);

// A commit on the detached HEAD of a slot that was idle: once HEAD stands elsewhere, a reflog alone would know of it. Kept
// unless it is where the slot was left, or a ref leads to it; under which trash id.
std::optional<std::string> keep_strangers_commit(const JobContext& job, const std::string& git_id, const git::TreeLook& look,
                                                 const std::string& trash_id);

// Whether the slot's files were written by other rules than `rules`, see git::writing_rules, or nobody knows by which.
[[nodiscard]] bool written_by_other_rules(const JobContext& job, const std::string& git_id, const std::string& rules);
void remember_rules(const JobContext& job, const std::string& git_id, const std::string& rules);

// An idle slot of which nobody knows that it is clean, under the marker `acquiring`: git looks, and what somebody did though
// nobody had the slot is kept. Throws quarantine when it could not be.
struct Cleaned {
  std::optional<Oid> head;             // where it stands now, its tree clean and HEAD on no branch
  std::vector<std::string> untracked;  // these stay
  std::vector<std::string> warnings;
};
[[nodiscard]] Cleaned clean_idle(const JobContext& job, const git::Git& slot, const std::string& git_id,
                                 const core::Lease& lease, const std::string& trash_id);

// An index that git cannot read, as a power loss leaves one that was not synced, is built anew from HEAD; the files stay as
// they are, and the damaged one is kept. What to tell whoever has or had the slot, when that was done.
std::optional<std::string> mend_index(const JobContext& job, const git::Git& slot);

}  // namespace wtpool::jobs
