// What stands in a worktree entry alone is kept in the trash: staged content, autostashes, commits of its HEAD.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// Before an entry is removed whose directory is gone, or is not its own: what was staged in it (`work`) and what git itself had
// stashed stand there alone, and are kept. An index that git can make nothing of is kept as a file. True when there was any.
[[nodiscard]] bool save_staged(const JobContext& job, const std::string& git_id, const core::Lease& lease,
                               const std::string& trash_id, const disk::SlotLock& lock);
// What operations that are half done hold, before git::clear_operations, or with their entry: what a rebase or merge set aside,
// commits that its state names and nothing else leads to, patches that `git am` has not applied. True when there was any. Safe
// to repeat.
bool keep_operations(const JobContext& job, const std::string& git_id, const core::Lease& lease, const std::string& trash_id);
// Would a commit be lost with the worktree whose HEAD stands at it: does no ref that all worktrees share lead there?
[[nodiscard]] bool is_lone(const git::Git& source, const Oid& commit);
// The commit at which HEAD stands when a slot is recycled, kept as `head` under `trash_id` where nothing but the trash of others
// leads to it: somebody committed since the refs were settled, or the lease began at a commit that only an entry has, which may
// be dropped. Under which id, if it was kept.
std::optional<std::string> keep_strangers_head(const JobContext& job, const core::Lease& lease, const Oid& head,
                                               const std::string& trash_id);
// Likewise: the commit at which HEAD of the entry stands is kept as `head`, unless a ref leads to it; that another worktree's
// HEAD does keeps nothing. Under which trash id, if it was kept. Reads HEAD of a torn entry too.
std::optional<std::string> keep_lone_head(const JobContext& job, const std::string& git_id, const std::string& trash_id);

}  // namespace wtpool::jobs
