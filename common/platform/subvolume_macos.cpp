// macOS has no subvolumes.
#include <cerrno>

#include "common/files/files.hpp"
#include "common/platform/subvolume.hpp"

namespace wtpool {

namespace fs = std::filesystem;

bool is_subvolume(const fs::path&) { return false; }
void make_subvolume(const fs::path& directory) { throw io_error("cannot make the subvolume", directory, ENOTSUP); }
void snapshot_subvolume(const fs::path&, const fs::path& to) { throw io_error("cannot make the snapshot", to, ENOTSUP); }
void set_read_only(const fs::path& subvolume, bool) { throw io_error("cannot set read-only", subvolume, ENOTSUP); }
bool is_read_only(const fs::path&) { return false; }
std::optional<std::uint64_t> generation_of(const fs::path&) { return std::nullopt; }
bool remove_subvolume(const fs::path&) { return false; }
bool can_snapshot(const fs::path&) { return false; }

}  // namespace wtpool
