// Questions to an index file, answered without a git process.
#pragma once

#include <filesystem>

namespace wtpool::git {

// May some entry carry a bit that hides changes from status? False only when every entry was read and none is assume-unchanged
// or skip-worktree. True when one is, and whenever the file is of a form that is not read here (split, unknown version,
// damaged): then git has to be asked.
[[nodiscard]] bool may_hide_changes(const std::filesystem::path& index);

// Is it there, and as no git writes it: empty, cut, or with zeros where its entries were? Also false for what is not read here.
[[nodiscard]] bool is_damaged_index(const std::filesystem::path& index);

}  // namespace wtpool::git
