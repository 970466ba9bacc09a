#include "common/files/disk_usage.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "common/files/fd.hpp"

namespace wtpool {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr int kMaxDepth = 200;            // of descriptors that are open at the same time
constexpr std::uint64_t kAskEvery = 256;  // files
constexpr std::uint64_t kBlock = 512;     // the unit of st_blocks

std::vector<std::string> names_in(int directory) {
  std::vector<std::string> names;
  Fd own(::openat(directory, ".", kDirectory));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(own.valid() ? ::fdopendir(own.get()) : nullptr,
                                                   [](DIR* d) { return d != nullptr ? ::closedir(d) : 0; });
  if (!stream) return names;
  (void)own.release();
  while (const dirent* const entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  return names;
}

}  // namespace

bool DiskUsage::goes_on() {
  if (!stopped_ && stop_ && seen_++ % kAskEvery == 0) stopped_ = stop_();
  return !stopped_;
}

void DiskUsage::count(const struct ::stat& stat) {
  if (!S_ISDIR(stat.st_mode) && stat.st_nlink > 1 &&
      !linked_.emplace(static_cast<std::uint64_t>(stat.st_dev), static_cast<std::uint64_t>(stat.st_ino)).second) {
    return;
  }
  bytes_ += static_cast<std::uint64_t>(stat.st_blocks) * kBlock;
}

void DiskUsage::below(int directory, std::uint64_t device, int depth) {
  for (const std::string& name : names_in(directory)) {
    if (!goes_on()) return;
    struct ::stat stat {};
    if (::fstatat(directory, name.c_str(), &stat, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (static_cast<std::uint64_t>(stat.st_dev) != device) continue;
    count(stat);
    if (!S_ISDIR(stat.st_mode) || depth == kMaxDepth) continue;
    const Fd child(::openat(directory, name.c_str(), kDirectory));
    if (child.valid()) below(child.get(), device, depth + 1);
  }
}

std::uint64_t DiskUsage::add(const std::filesystem::path& path) {
  const std::uint64_t before = bytes_;
  struct ::stat stat {};
  if (::lstat(path.c_str(), &stat) != 0) return 0;
  count(stat);
  if (S_ISDIR(stat.st_mode)) {
    const Fd directory(::open(path.c_str(), kDirectory));
    if (directory.valid()) below(directory.get(), static_cast<std::uint64_t>(stat.st_dev), 0);
  }
  return bytes_ - before;
}

}  // namespace wtpool
