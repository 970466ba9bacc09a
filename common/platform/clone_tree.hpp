// A directory tree is cloned into another directory: files share their blocks, symlinks are made anew, modes, times to the
// nanosecond and user xattrs are kept, set-id bits are not. Works on descriptors from the top down: no symlink is followed,
// whatever changes meanwhile. Any thread; uses up to `threads` threads of its own. Throws proto::Error, kind by errno; what was
// made so far then stays, and is the caller's to remove.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace wtpool {

enum class CloneMethod {
  clone,  // each file by clone_file
  copy,   // each file is read and written
};

// What is to become of an entry of the tree.
enum class Keep {
  no,
  yes,    // a directory: `keep` is asked of each entry in it
  all,    // a directory: with everything in it, unasked
  empty,  // a directory, without what is in it
};

struct CloneOptions {
  CloneMethod method = CloneMethod::clone;
  unsigned threads = 4;
  // Asked with a path relative to the tree, without a trailing slash; from several threads at once. Absent: all is kept.
  std::function<Keep(const std::string& path, bool is_directory)> keep = {};
  // Files whose ctime, in nanoseconds since the epoch, is later are named in `changed`. They are cloned all the same.
  std::optional<std::int64_t> unchanged_since = {};
  // Asked now and then; true ends the clone with an error of kind cancelled.
  std::function<bool()> stop = {};
};

struct CloneReport {
  std::uint64_t files = 0;  // regular files and symlinks
  std::uint64_t directories = 0;
  std::uint64_t bytes = 0;
  std::uint64_t copied = 0;  // files that were read and written, since the file system would not clone them
  std::vector<std::string>
      left_out;  // nested repositories, sockets, pipes, devices, other mounts, files of another user; sorted
  std::vector<std::string> refused;  // entries for which `keep` said no; sorted
  std::vector<std::string> changed;  // see unchanged_since; sorted
};

// Deepest directory that is cloned; one below that is an error.
inline constexpr std::size_t kDeepestClone = 128;

// `to` must be there; none of the names at the top of `from` may be in it. `.git` at the top of `from` is left alone.
[[nodiscard]] CloneReport clone_tree(const std::filesystem::path& from, const std::filesystem::path& to,
                                     const CloneOptions& options = {});

}  // namespace wtpool
