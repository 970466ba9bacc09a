// Files: reading whole, writing durably, walking and moving without following a symlink.
// Every function throws proto::Error (kind by errno: no_space, read_only, permission_denied, io_error) that names the path,
// unless it says that it returns nothing. Any thread.
#pragma once

#include <sys/stat.h>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/files/fd.hpp"
#include "proto/errors.hpp"

namespace wtpool {

// The error for a failed system call: "<what> <path>: <strerror>", with the kind that errno stands for.
[[nodiscard]] proto::Error io_error(std::string_view what, const std::filesystem::path& path, int error_number);

// The whole file, or nothing when it is not there (ENOENT, ENOTDIR). Refuses (io_error) what is no regular file or is
// larger than `limit` bytes. Does not follow a symlink in the last component.
[[nodiscard]] std::optional<std::string> read_file(const std::filesystem::path& path, std::size_t limit = 1 << 20);

// Temporary file in the same directory, fsync, rename, fsync of the directory: after it returns, the new content survives a
// power loss; before, the old one is whole. Commit is this call, never a destructor. Mode 0600 unless told.
void write_durably(const std::filesystem::path& path, std::string_view content, mode_t mode = 0600);
// The same without any fsync, for what may be lost.
void write_atomically(const std::filesystem::path& path, std::string_view content, mode_t mode = 0600);
// The same in its steps, for who has several files to make durable: written beside its target, and taken away again unless it
// was put in place.
class StagedFile {
 public:
  StagedFile(std::filesystem::path target, std::string_view content, mode_t mode = 0600);
  StagedFile(StagedFile&& other) noexcept;
  StagedFile& operator=(StagedFile&&) = delete;
  ~StagedFile();

  [[nodiscard]] int descriptor() const { return fd_.get(); }
  void sync() const;
  void put_in_place();  // renames; the directory is the caller's to sync

 private:
  std::filesystem::path target_;
  std::filesystem::path path_;  // empty once it is in place
  Fd fd_;
};
// fsync of all of them at the same time: a disk that is told once to empty its cache takes as long as for one. `named` is for
// the error.
void sync_together(std::span<const int> descriptors, const std::filesystem::path& named);
// Takes away what processes that were killed had staged in `directory`; only for who knows that nobody stages there now.
void remove_staged(const std::filesystem::path& directory);

// Unlinks and syncs the directory; false when it was not there.
bool unlink_durably(const std::filesystem::path& path);
void sync_directory(const std::filesystem::path& path);
// For files that others wrote: fsyncs each that is there, regular, and no symlink. All are started before one is waited for, so
// many take little longer than a few.
void sync_files(const std::vector<std::filesystem::path>& files);

// mkdir -p, each new level with `mode`; new levels' parents are synced when `durable`.
void make_directories(const std::filesystem::path& path, mode_t mode = 0755, bool durable = false);

// lstat, or nothing when it is not there.
[[nodiscard]] std::optional<struct ::stat> lstat_of(const std::filesystem::path& path);
[[nodiscard]] bool is_directory_no_follow(const std::filesystem::path& path);
// Nanoseconds since the epoch: when the content was changed last, and when anything was.
[[nodiscard]] std::int64_t modified_ns(const struct ::stat& stat);
[[nodiscard]] std::int64_t changed_ns(const struct ::stat& stat);

// What lies in a directory, sorted; nothing when it is not there or may not be read. Throws when the list could not be read to
// its end for want of descriptors, of memory or of a working disk: half a list would say of the rest that it is not there.
[[nodiscard]] std::vector<std::filesystem::path> children_of(const std::filesystem::path& directory);

// rm -rf that never follows a symlink and never leaves the directory's own device. Makes read-only directories writable.
void remove_tree(const std::filesystem::path& path);

// Real path when it exists, else the real path of the longest existing part with the rest appended. Never throws.
[[nodiscard]] std::filesystem::path real_path(const std::filesystem::path& path);

// Bytes free for this user on the file system of `path`; nothing when it cannot be told.
[[nodiscard]] std::optional<std::uint64_t> free_bytes(const std::filesystem::path& path);

}  // namespace wtpool
