// The branch of an acquire: how an old one makes room for it, and how it is taken back.
#pragma once

#include <string>

#include "daemon/git/process/git.hpp"
#include "daemon/jobs/slot/undo_steps.hpp"

namespace wtpool::jobs {

// Keeps `old`, where the branch stands, under `trash_id` and takes the branch away; `steps` know how to put it back.
void replace_branch(const git::Git& source, Steps& steps, const std::string& name, const Oid& old, const std::string& trash_id);

// HEAD of that entry detached at where it stands, or at `otherwise` when it stands nowhere.
void detach_again(const git::Git& source, const std::string& git_id, const Oid& otherwise);

// Undoes what an acquire made of its branch: HEAD is detached; the branch goes unless it is another's, has moved, or is checked
// out elsewhere.
void take_branch_back(const JobContext& job, const git::Git& source, const std::string& git_id, const core::Lease& lease,
                      bool is_anothers);

}  // namespace wtpool::jobs
