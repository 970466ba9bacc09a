// Writable copies of what an entry holds. Internal to this room.
#pragma once

#include <filesystem>
#include <string>

namespace wtpool::store {

// `from`, a file, symlink or directory of an entry, as `to`, which is not there: with its times, and for its owner to write.
// False: `clone` was asked for, and the disk copied.
[[nodiscard]] bool copy_out(const std::filesystem::path& from, const std::filesystem::path& to, bool clone);

// `one` and what stands at `relative` below `top` change places, in one step; no symlink on the way is followed.
void exchange_into(const std::filesystem::path& one, const std::filesystem::path& top, const std::string& relative);

}  // namespace wtpool::store
