// A tree on which a checkout was cut off. It may stand anywhere between two commits, and git itself calls untracked what its
// checkout had written before its index was.
#pragma once

#include "daemon/jobs/trash/save.hpp"

namespace wtpool::jobs {

// Goes on to the commit of `nobody`, since a checkout that is run again to its end needs no guess about what the first one
// wrote; what neither commit has is kept under `trash_id`.
void bring_to_commit(const JobContext& job, const git::Git& slot, const std::string& git_id, const core::Lease& nobody,
                     const std::string& trash_id);

// Takes back a checkout of `to` in a tree that stood clean at `from`, writing nothing of `to`, for which there may be no room:
// what it wrote goes, wherever it was cut off; whatever else stands there is kept.
void bring_back(const JobContext& job, const git::Git& slot, const Oid& from, const core::Lease& to);

}  // namespace wtpool::jobs
