// Who may be writing to a file: what the system knows and no look at the file shows. Any thread.
#pragma once

#include <filesystem>

namespace wtpool::platform {

enum class Writers {
  none,     // and from now until `fd` is closed whoever opens the file for writing has to wait
  some,     // it is open for writing, or mapped from such an opening, in some process of any user
  unknown,  // the system, the file system or the file's owner does not let us know
};
// `fd`: a regular file, open for reading only.
[[nodiscard]] Writers writers_of(int fd);

// Is `directory` on a file system that only this host's kernel writes, so that it knows of every writer and tells of every
// event? Network, FUSE and overlay file systems are not.
[[nodiscard]] bool is_local(const std::filesystem::path& directory);

}  // namespace wtpool::platform
