#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <cerrno>
#include <csignal>

#include "common/platform/writers.hpp"

namespace wtpool::platform {
namespace {

constexpr long kXfs = 0x58465342;
constexpr long kBcachefs = static_cast<long>(0xca451a4e);

}  // namespace

Writers writers_of(int fd) {
  // Who opens the file for writing while the lease stands breaks it, and the kernel tells us by a signal, which would be SIGIO
  // and would end us. SIGURG does nothing by default.
  if (::fcntl(fd, F_SETSIG, SIGURG) != 0) return Writers::unknown;
  if (::fcntl(fd, F_SETLEASE, F_RDLCK) == 0) return Writers::none;
  return errno == EAGAIN ? Writers::some : Writers::unknown;
}

bool is_local(const std::filesystem::path& directory) {
  struct ::statfs facts {};
  if (::statfs(directory.c_str(), &facts) != 0) return false;
  switch (facts.f_type) {
    case EXT4_SUPER_MAGIC:  // ext2 and ext3, too
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case kXfs:
    case kBcachefs:
      return true;
    default:
      return false;
  }
}

}  // namespace wtpool::platform
