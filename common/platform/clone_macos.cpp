#include <copyfile.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/files/files.hpp"
#include "common/platform/clone.hpp"

namespace wtpool {

// fclonefileat makes a file of its own, so into one that is open already the data is cloned by fcopyfile, which shares blocks
// on APFS where it can. What it could not share it copies, and does not say: the size alone is compared.
std::optional<Cloned> clone_file(int from, int to) {
  struct ::stat first {};
  struct ::stat second {};
  if (::fcopyfile(from, to, nullptr, COPYFILE_DATA | COPYFILE_CLONE) == 0 && ::fstat(from, &first) == 0 &&
      ::fstat(to, &second) == 0 && first.st_size == second.st_size)
    return Cloned::shared;
  if (::ftruncate(to, 0) != 0 || ::lseek(to, 0, SEEK_SET) != 0 || !copy_file_bytes(from, to)) return std::nullopt;
  return Cloned::copied;
}

std::string file_system_name(const std::filesystem::path& directory) {
  struct ::statfs status {};
  return ::statfs(directory.c_str(), &status) == 0 ? status.f_fstypename : "this file system";
}

void sync_file_system(const std::filesystem::path&) { ::sync(); }

void exchange(const std::filesystem::path& one, const std::filesystem::path& other) {
  if (::renamex_np(one.c_str(), other.c_str(), RENAME_SWAP) != 0)
    throw io_error("cannot exchange " + one.string() + " with", other, errno);
}

}  // namespace wtpool
