// What of git's is half done in a worktree, told by the files that git keeps of it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace wtpool::git {

// merge, rebase, cherry-pick, revert or bisect; nothing when none is. `entry`: the worktree's private git directory.
[[nodiscard]] std::optional<std::string> operation_in(const std::filesystem::path& entry);

}  // namespace wtpool::git
