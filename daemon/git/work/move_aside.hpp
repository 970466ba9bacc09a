// Files are moved out of the way.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace wtpool::git {

// Moves single files out of the way, to `aside`, keeping relative paths. Never follows a symlink.
void move_aside(const std::filesystem::path& work_tree, const std::vector<std::string>& paths,
                const std::filesystem::path& aside);

}  // namespace wtpool::git
