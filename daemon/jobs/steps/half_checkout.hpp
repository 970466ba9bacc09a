// An interrupted checkout. The tree may stand anywhere between two commits, and git itself calls untracked what its checkout
// had written before its index was.
#pragma once

#include "daemon/jobs/trash/save.hpp"

namespace wtpool::jobs {

// Finishes an interrupted checkout by running it again to the commit of `nobody`. Content that neither commit has is saved
// under `trash_id` first.
void bring_to_commit(const JobContext& job, const git::Git& slot, const std::string& git_id, const core::Lease& nobody,
                     const std::string& trash_id);

// Takes back a checkout of `to` in a tree that stood clean at `from`, writing nothing of `to`, for which there may be no room:
// what it wrote goes, wherever it was cut off; whatever else stands there is kept.
void bring_back(const JobContext& job, const git::Git& slot, const Oid& from, const core::Lease& to);

}  // namespace wtpool::jobs
