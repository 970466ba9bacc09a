// A worktree is added to the source.
#pragma once

#include <filesystem>
#include <string>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// `git worktree add --detach --no-checkout --lock --reason`; returns the git id. Durable, with
// what leads from the slot to its entry and back. The caller has the source's writer token.
[[nodiscard]] std::string add_worktree(const Git& source, const std::filesystem::path& slot, const Oid& at,
                                       const std::string& lock_reason);

}  // namespace wtpool::git
