// Repositories of somebody's own that stand in a slot: what has something called .git in it. git itself takes for one only what
// is sound, and removes one whose HEAD is damaged, or whose .git file leads nowhere, with every commit in it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// The topmost on the way to each of these untracked files, sorted. A directory with tracked files is none. One lstat for each
// directory; git is asked only where there is one.
[[nodiscard]] std::vector<std::string> repositories_above(const Git& slot, const std::vector<std::string>& untracked);

// The topmost in a directory of the slot, which may be one itself. No symlink is followed; a directory that may not be read is
// passed over.
[[nodiscard]] std::vector<std::string> repositories_below(const std::filesystem::path& work_tree, const std::string& directory);

// Is it one of the (sorted) directories, or below one?
[[nodiscard]] bool is_in_one_of(const std::vector<std::string>& directories, const std::string& path);

}  // namespace wtpool::git
