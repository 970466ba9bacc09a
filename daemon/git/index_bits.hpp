// One question to an index file, answered without a git process: may some entry carry a bit that hides changes from status?
#pragma once

#include <filesystem>

namespace wtpool::git {

// False only when every entry was read and none is assume-unchanged or skip-worktree. True when one is, and whenever the file
// is of a form that is not read here (split, unknown version, damaged): then git has to be asked.
[[nodiscard]] bool may_hide_changes(const std::filesystem::path& index);

}  // namespace wtpool::git
