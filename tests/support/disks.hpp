// Directories on XFS and btrfs for tests of reflinks and snapshots: loop-mounted images, which takes root, mkfs and a kernel
// that knows them; else null, and `why_no_disk` says what is missing. $WTPOOL_TEST_XFS and $WTPOOL_TEST_BTRFS name directories
// that are there already. A mount lasts as long as the test program.
#pragma once

#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace wtpool::testing {

class Disk {
 public:
  explicit Disk(const std::string& make, const std::string& options) {
    char pattern[] = "/tmp/wtpool-disk-XXXXXX";
    directory_ = ::mkdtemp(pattern);
    const std::string image = (directory_ / "image").string();
    path = directory_ / "mount";
    std::filesystem::create_directory(path);
    const std::string line = "truncate -s 512M " + image + " && " + make + " " + image + " >/dev/null 2>&1 && mount -o loop" +
                             options + " " + image + " " + path.string() + " 2>/dev/null";
    mounted = ::system(line.c_str()) == 0;
  }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  ~Disk() {
    if (mounted && ::system(("umount " + path.string() + " 2>/dev/null || umount -l " + path.string()).c_str()) != 0) return;
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::filesystem::path path;
  bool mounted = false;

 private:
  std::filesystem::path directory_;
};

// A directory of its own on a disk of that kind, "xfs" or "btrfs"; null: none is to be had here.
inline std::optional<std::filesystem::path> directory_on(const std::string& kind) {
  const char* const given = ::getenv(kind == "xfs" ? "WTPOOL_TEST_XFS" : "WTPOOL_TEST_BTRFS");
  std::filesystem::path base;
  if (given != nullptr && *given != '\0') {
    base = given;
  } else {
    static std::map<std::string, std::unique_ptr<Disk>> disks;
    auto& disk = disks[kind];
    if (!disk) {
      disk = kind == "xfs" ? std::make_unique<Disk>("mkfs.xfs -q -m reflink=1", "")
                           : std::make_unique<Disk>("mkfs.btrfs -q", ",user_subvol_rm_allowed");
    }
    if (!disk->mounted) return std::nullopt;
    base = disk->path;
  }
  std::string pattern = (base / "test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return std::nullopt;
  return std::filesystem::path(pattern);
}

inline const char* why_no_disk() {
  return "no reflinks here: it takes root, a loop device, mkfs.xfs and mkfs.btrfs, or WTPOOL_TEST_XFS and WTPOOL_TEST_BTRFS";
}

}  // namespace wtpool::testing
