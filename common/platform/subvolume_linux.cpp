// Built without libbtrfsutil, it knows no subvolumes.
#ifdef WTPOOL_HAS_BTRFSUTIL
#include <btrfsutil.h>
#endif
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <mutex>

#include "common/base/clock.hpp"
#include "common/files/files.hpp"
#include "common/platform/clone.hpp"
#include "common/platform/subvolume.hpp"

namespace wtpool {

namespace fs = std::filesystem;

#ifdef WTPOOL_HAS_BTRFSUTIL
namespace {

void must(btrfs_util_error failed, const char* what, const fs::path& path) {
  if (failed != BTRFS_UTIL_OK) throw io_error(what, path, errno);
}

bool probe(const fs::path& directory) {
  const fs::path made = directory / (".wtpool-probe-" + random_hex(16));
  const fs::path snapshot = made.string() + "-snapshot";
  if (btrfs_util_create_subvolume(made.c_str(), 0, nullptr, nullptr) != BTRFS_UTIL_OK) return false;
  const bool works = btrfs_util_create_snapshot(made.c_str(), snapshot.c_str(), 0, nullptr, nullptr) == BTRFS_UTIL_OK;
  for (const auto& each : {snapshot, made}) {
    if (!remove_subvolume(each)) ::rmdir(each.c_str());
  }
  return works;
}

}  // namespace

bool is_subvolume(const fs::path& directory) {
  // The number is that of every subvolume's own directory; a symlink has another one.
  const auto stat = lstat_of(directory);
  return stat && S_ISDIR(stat->st_mode) && stat->st_ino == 256 && btrfs_util_is_subvolume(directory.c_str()) == BTRFS_UTIL_OK;
}

void make_subvolume(const fs::path& directory) {
  must(btrfs_util_create_subvolume(directory.c_str(), 0, nullptr, nullptr), "cannot make the subvolume", directory);
}

void snapshot_subvolume(const fs::path& from, const fs::path& to) {
  must(btrfs_util_create_snapshot(from.c_str(), to.c_str(), 0, nullptr, nullptr), "cannot make the snapshot", to);
}

void set_read_only(const fs::path& subvolume, bool read_only) {
  must(btrfs_util_set_subvolume_read_only(subvolume.c_str(), read_only), "cannot set read-only", subvolume);
}

bool is_read_only(const fs::path& subvolume) {
  bool read_only = false;
  return btrfs_util_get_subvolume_read_only(subvolume.c_str(), &read_only) == BTRFS_UTIL_OK && read_only;
}

std::optional<std::uint64_t> generation_of(const fs::path& subvolume) {
  struct btrfs_util_subvolume_info info {};
  // Of a read-only one by its path: the call takes no privilege for the subvolume that the path is in.
  if (btrfs_util_subvolume_info(subvolume.c_str(), 0, &info) != BTRFS_UTIL_OK) return std::nullopt;
  return info.ctransid;
}

bool remove_subvolume(const fs::path& subvolume) {
  if (!is_subvolume(subvolume)) return false;
  if (btrfs_util_delete_subvolume(subvolume.c_str(), 0) == BTRFS_UTIL_OK) return true;
  if (!is_read_only(subvolume)) return false;
  (void)btrfs_util_set_subvolume_read_only(subvolume.c_str(), false);
  return btrfs_util_delete_subvolume(subvolume.c_str(), 0) == BTRFS_UTIL_OK;
}

bool can_snapshot(const fs::path& directory) {
  static std::mutex mutex;
  static std::map<dev_t, bool> known;
  if (file_system_name(directory) != "btrfs") return false;
  const auto stat = lstat_of(directory);
  if (!stat) return false;
  const std::lock_guard lock(mutex);
  const auto found = known.find(stat->st_dev);
  if (found != known.end()) return found->second;
  return known[stat->st_dev] = probe(directory);
}
#else
bool is_subvolume(const fs::path&) { return false; }
void make_subvolume(const fs::path& directory) { throw io_error("cannot make the subvolume", directory, ENOTSUP); }
void snapshot_subvolume(const fs::path&, const fs::path& to) { throw io_error("cannot make the snapshot", to, ENOTSUP); }
void set_read_only(const fs::path& subvolume, bool) { throw io_error("cannot set read-only", subvolume, ENOTSUP); }
bool is_read_only(const fs::path&) { return false; }
std::optional<std::uint64_t> generation_of(const fs::path&) { return std::nullopt; }
bool remove_subvolume(const fs::path&) { return false; }
bool can_snapshot(const fs::path&) { return false; }
#endif

}  // namespace wtpool
