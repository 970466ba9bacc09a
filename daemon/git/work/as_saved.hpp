// Files as they were when they were saved. Whoever had the slot may go on writing: only what still is as it was saved is taken
// away, and nothing that came in its place. No symlink is followed.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace wtpool::git {

struct Stamp {
  dev_t device = 0;
  ino_t inode = 0;
  mode_t mode = 0;
  off_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  friend bool operator==(const Stamp&, const Stamp&) = default;
};
[[nodiscard]] Stamp stamp_of(const struct ::stat& stat);

using Stamps = std::map<std::string, Stamp>;  // by path relative to the working tree
// Of the files and symlinks among `paths` that are there.
[[nodiscard]] Stamps stamps_of(const std::filesystem::path& work_tree, const std::vector<std::string>& paths);
// Waits, some 20 ms at most, until a further change of any of them would show: clocks of files go in ticks.
void let_clocks_tick(const Stamps& stamps);

struct Taken {
  std::vector<std::string> changed;  // stay: they are not as they were saved
  std::vector<std::string> aside;    // changed at this very moment, or open for writing: whole, below `aside`
};
// Takes away what stands as `stamps` say, and directories that are empty then. `holding`: a directory of nobody else on the same
// file system, for the moment between the two looks.
[[nodiscard]] Taken take_saved(const std::filesystem::path& work_tree, const Stamps& stamps, const std::filesystem::path& holding,
                               const std::filesystem::path& aside);
// Rests of one that was killed, into `aside`. True when there was any.
bool rescue_held(const std::filesystem::path& holding, const std::filesystem::path& aside);

}  // namespace wtpool::git
