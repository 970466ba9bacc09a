// The one thing that is ever pushed for somebody: a commit that lands, onto the remote's branch.
#pragma once

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// Brings `commit` onto refs/heads/<branch> of the remote `origin`, where that is a fast-forward: without force, tags, or a hook
// of this repository. The remote-tracking ref follows. Empty: done; else why the remote would not, in its words: somebody else
// moved the branch, or a rule of the remote stands against it. Throws fetch_failed, auth_failed, git_timeout, cancelled.
[[nodiscard]] std::optional<std::string> push(const Git& source, const Oid& commit, const std::string& branch);

}  // namespace wtpool::git
