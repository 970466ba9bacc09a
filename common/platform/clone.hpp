// Copies of files that share their blocks (reflinks): FICLONE on Linux (XFS, btrfs, bcachefs), fclonefileat on macOS (APFS).
// Works without privilege. Any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace wtpool {

enum class Cloned {
  shared,  // the new file shares the blocks of the old one
  copied,  // the file system refused this one file, so it was read and written
};
// Fills the empty file `to` with the content of the regular file `from`; both are open descriptors. The size is compared
// afterwards. Returns null with errno set when neither way worked.
[[nodiscard]] std::optional<Cloned> clone_file(int from, int to);
// The same by reading and writing alone. False with errno set when it failed.
[[nodiscard]] bool copy_file_bytes(int from, int to);

struct CloneProbe {
  bool works = false;
  std::string why;  // why not, for a person: "ext4: no reflink"; empty where it works
};
// Whether files in `directory` can be cloned, by doing it: a file of 128 KiB is written, synced, cloned and compared. An empty
// or unsynced file would not tell: ZFS clones the first and answers EAGAIN to the second. The answer is kept for each device.
[[nodiscard]] CloneProbe can_clone(const std::filesystem::path& directory);
// What the file system of `directory` is called, for a person; "this file system" where it has no name here.
[[nodiscard]] std::string file_system_name(const std::filesystem::path& directory);

// Everything that was written to the file system of `directory` is on the disk when this returns.
void sync_file_system(const std::filesystem::path& directory);

// Both names change places in one step; both must be there, on one file system. Throws proto::Error.
void exchange(const std::filesystem::path& one, const std::filesystem::path& other);

}  // namespace wtpool
