// Does some process have a file open? Asked of shared lock files before they are called stale.
#pragma once

#include <filesystem>

namespace wtpool::git {

// Of the processes that this user may look into. True when it cannot be told at all.
[[nodiscard]] bool is_open_somewhere(const std::filesystem::path& file);

}  // namespace wtpool::git
