// Which branches a worktree holds on to, read from its private git directory as plain files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace wtpool::git {

// Is refs/heads/<branch> checked out, being rebased, updated by a rebase, or bisected there? `private_dir` is the common
// directory for the main worktree, else <common>/worktrees/<id>.
[[nodiscard]] bool holds_branch(const std::filesystem::path& private_dir, const std::string& branch);

// Where branch `name` is checked out, being rebased or bisected: the main worktree and every entry, read as plain files.
// `main_worktree` is absent where the source is bare. `except` is a git id not to look at. The path of the worktree, for a
// person.
[[nodiscard]] std::optional<std::string> checked_out_at(const std::string& common_dir,
                                                        const std::optional<std::string>& main_worktree,
                                                        const std::string& name, const std::string& except = {});

}  // namespace wtpool::git
