// What files take on the disk.
#pragma once

#include <sys/stat.h>
#include <cstdint>

#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <utility>

namespace wtpool {

// Sums up what is allocated below paths. A file that several names lead to counts once, over all paths together; no symlink is
// followed, no other file system entered; what may not be read counts as nothing. One thread at a time.
class DiskUsage {
 public:
  // `stop` is asked now and then; once it says yes, the sum is not complete.
  explicit DiskUsage(std::function<bool()> stop = {}) : stop_(std::move(stop)) {}

  // A file or a directory with everything in it; returns what it added.
  std::uint64_t add(const std::filesystem::path& path);
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] bool complete() const { return !stopped_; }

 private:
  void below(int directory, std::uint64_t device, int depth);
  void count(const struct ::stat& stat);
  [[nodiscard]] bool goes_on();

  std::function<bool()> stop_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> linked_;  // device and inode of files with several names
  std::uint64_t bytes_ = 0;
  std::uint64_t seen_ = 0;
  bool stopped_ = false;
};

}  // namespace wtpool
