// The files of a worktree entry that lead to its source and to its worktree. Empty ones make git fail in the whole source, and
// what they said is known: `commondir` leads two levels up, `gitdir` to the worktree's .git.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace wtpool::git {

// Those of the two that are empty or cut. None unless the entry is known to be that of the worktree at `slot`: the
// .git file there leads to it, or, where there is none any more, its own `gitdir` leads there.
[[nodiscard]] std::vector<std::string> lost_pointers(const std::string& common_dir, const std::string& git_id,
                                                     const std::filesystem::path& slot);
// Writes them as they were; which.
std::vector<std::string> restore_pointers(const std::string& common_dir, const std::string& git_id,
                                          const std::filesystem::path& slot);

}  // namespace wtpool::git
