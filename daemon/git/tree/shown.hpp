// Would git show a file, were it there? Asked of the rules alone, not of the index: a question of milliseconds however many
// files are tracked.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// Which of `paths`, relative to the working tree and none of them below a symlink, git ignores. One that ends with '/' is taken
// for a directory. One process, whatever the number.
[[nodiscard]] std::vector<bool> ignored(const Git& tree, const std::vector<std::string>& paths);

// The same across repositories that lie in one another: each path is asked of the one that it is in (a submodule, a nested
// one).
[[nodiscard]] std::vector<bool> ignored_in_any(const Git& tree, const std::vector<std::string>& paths);

}  // namespace wtpool::git
