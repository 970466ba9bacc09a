// What a power loss leaves of files that git did not sync, made usable again where nothing has to be guessed for it. Nothing is
// deleted: what was damaged is kept beside. Each is for the slot's owner, or for a slot whose index nobody can be writing.
#pragma once

#include <filesystem>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// Rebuilds a damaged index from HEAD and returns where the damaged file was moved, or nullopt if it was sound. No file in the
// working tree is touched. Staged content that is in no file is lost. Throws git_failed where
// HEAD cannot be read either; then nothing has changed. Killed anywhere in between, the slot has the one index or the other.
[[nodiscard]] std::optional<std::filesystem::path> mend_index(const Git& slot);

// Loose objects of the source that git named in `said`, its stderr, and cannot read: moved to <common>/wtpool/aside, so that
// git writes them again where it has their content, which it does not as long as a file of that name stands. Those that are
// staged, and whose content still stands in the working tree, are written again here. How many were moved.
[[nodiscard]] std::size_t set_damaged_objects_aside(const Git& slot, const std::string& said);

}  // namespace wtpool::git
