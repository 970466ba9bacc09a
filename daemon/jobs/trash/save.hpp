// What a holder changed and did not commit is kept in the trash.
#pragma once

#include "daemon/git/tree/status.hpp"
#include "daemon/git/work/as_saved.hpp"
#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// Saves tracked changes (and `untracked`, which the caller is about to remove) under `trash_id`, or, where that id already
// keeps other work, under a new one. Nothing when there was nothing, or when it equals what this lease saved last. `as_saved`
// gets the files that were saved, as they were: only what still is so may be taken away afterwards.
[[nodiscard]] std::optional<std::string> save_dirt(const JobContext& job, const git::Git& slot, const std::string& git_id,
                                                   const core::Lease& lease, const git::TreeLook& look,
                                                   const std::vector<std::string>& untracked, const std::string& trash_id,
                                                   git::Stamps* as_saved = nullptr);

// Of files that came to light when the rest was kept as `kept` already, if there was any: into that entry, where it is of this
// lease and has room for them; else save_dirt.
[[nodiscard]] std::optional<std::string> save_late(const JobContext& job, const git::Git& slot, const std::string& git_id,
                                                   const core::Lease& lease, const git::TreeLook& look,
                                                   const std::vector<std::string>& untracked,
                                                   const std::optional<std::string>& kept, const std::string& trash_id,
                                                   git::Stamps* as_saved = nullptr);

// Before a forced checkout of `to`: save_dirt of what would be lost by it as well, unless `dirty` is discard; a nested
// repository in the way is set aside whole either way.
[[nodiscard]] std::optional<std::string> save_before_reset(const JobContext& job, const git::Git& slot,
                                                           const std::string& git_id, const core::Lease& lease,
                                                           const git::TreeLook& look, std::vector<std::string> untracked,
                                                           const Oid& to, core::Dirty dirty, const std::string& trash_id,
                                                           git::Stamps* as_saved = nullptr);

}  // namespace wtpool::jobs
