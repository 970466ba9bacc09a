// btrfs subvolumes, by libbtrfsutil: made, snapshotted and set read-only without privilege. Elsewhere nothing is one. Any
// thread. Throws proto::Error unless it says otherwise.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace wtpool {

// False too where it cannot be told.
[[nodiscard]] bool is_subvolume(const std::filesystem::path& directory);
void make_subvolume(const std::filesystem::path& directory);
// A writable snapshot of the subvolume `from`, at `to`, which must not be there. A subvolume inside `from` comes out empty.
void snapshot_subvolume(const std::filesystem::path& from, const std::filesystem::path& to);
void set_read_only(const std::filesystem::path& subvolume, bool read_only);
[[nodiscard]] bool is_read_only(const std::filesystem::path& subvolume);
// The transaction in which the subvolume was changed last; null where it is none.
[[nodiscard]] std::optional<std::uint64_t> generation_of(const std::filesystem::path& subvolume);
// Removes it with everything in it, in one step; a read-only one too. False where only root may do that, or it is none: then
// it is to be emptied as any directory, and rmdir removes it.
[[nodiscard]] bool remove_subvolume(const std::filesystem::path& subvolume);
// Whether subvolumes can be made, snapshotted and taken away again in `directory`, by doing it. The answer is kept for each
// device.
[[nodiscard]] bool can_snapshot(const std::filesystem::path& directory);

}  // namespace wtpool
