#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "common/files/files.hpp"
#include "common/platform/clone.hpp"

namespace wtpool {
namespace {

// What a file system says that cannot clone at all, or not this file, or not now.
bool is_refusal(int error_number) {
  return error_number == EOPNOTSUPP || error_number == ENOTTY || error_number == EINVAL || error_number == EXDEV ||
         error_number == EAGAIN || error_number == ENOSYS || error_number == ETXTBSY || error_number == EPERM;
}

bool same_size(int one, int other) {
  struct ::stat first {};
  struct ::stat second {};
  return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 && first.st_size == second.st_size;
}

}  // namespace

std::optional<Cloned> clone_file(int from, int to) {
  if (::ioctl(to, FICLONE, from) == 0) {
    if (same_size(from, to)) return Cloned::shared;
  } else if (!is_refusal(errno)) {
    return std::nullopt;
  }
  if (::ftruncate(to, 0) != 0 || ::lseek(to, 0, SEEK_SET) != 0 || !copy_file_bytes(from, to)) return std::nullopt;
  return Cloned::copied;
}

std::string file_system_name(const std::filesystem::path& directory) {
  struct ::statfs status {};
  if (::statfs(directory.c_str(), &status) != 0) return "this file system";
  switch (static_cast<std::uint32_t>(status.f_type)) {
    case EXT4_SUPER_MAGIC:
      return "ext4";
    case XFS_SUPER_MAGIC:
      return "XFS";
    case BTRFS_SUPER_MAGIC:
      return "btrfs";
    case TMPFS_MAGIC:
      return "tmpfs";
    case OVERLAYFS_SUPER_MAGIC:
      return "overlayfs";
    case NFS_SUPER_MAGIC:
      return "NFS";
    case 0x2fc12fc1:
      return "ZFS";
    case 0xca451a4e:
      return "bcachefs";
    default:
      return "this file system";
  }
}

void sync_file_system(const std::filesystem::path& directory) {
  const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::syncfs(fd.get()) != 0) throw io_error("cannot sync", directory, errno);
}

void exchange(const std::filesystem::path& one, const std::filesystem::path& other) {
  if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) != 0)
    throw io_error("cannot exchange " + one.string() + " with", other, errno);
}

}  // namespace wtpool
