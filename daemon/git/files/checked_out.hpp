// Which branches one worktree holds on to, read from its private git directory as plain files.
#pragma once

#include <filesystem>
#include <string>

namespace wtpool::git {

// Is refs/heads/<branch> checked out, being rebased, updated by a rebase, or bisected there? `private_dir` is the common
// directory for the main worktree, else <common>/worktrees/<id>.
[[nodiscard]] bool holds_branch(const std::filesystem::path& private_dir, const std::string& branch);

}  // namespace wtpool::git
