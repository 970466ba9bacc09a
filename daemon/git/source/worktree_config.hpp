// A repository without a working tree that says so for all its worktrees, as it may where each has a configuration of its own.
#pragma once

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// git would take the worktree with this entry for bare, too, unless its own configuration says that it is not.
void not_bare(const Git& source, const std::string& entry);

}  // namespace wtpool::git
