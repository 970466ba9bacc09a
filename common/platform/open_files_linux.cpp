#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "common/platform/open_files.hpp"

namespace wtpool::git {

namespace fs = std::filesystem;

namespace {

// By what the link says, which asks no file system: one of a server that is gone would not answer, and hold us for ever. A file
// that is open has the name here, whatever the directories above it are called there.
bool may_be(const fs::path& descriptor, const std::string& name) {
  constexpr std::string_view kDeleted = " (deleted)";
  std::error_code failed;
  const std::string target = fs::read_symlink(descriptor, failed).string();
  if (failed) return false;
  const std::string last = target.substr(target.rfind('/') + 1);
  return last == name || last == name + std::string(kDeleted);
}

}  // namespace

std::optional<std::vector<std::int64_t>> openers_of(const fs::path& file) {
  std::vector<std::int64_t> found;
  struct stat wanted {};
  if (::lstat(file.c_str(), &wanted) != 0) return found;
  const std::string wanted_name = file.filename().string();
  std::error_code failed;
  fs::directory_iterator processes("/proc", failed);
  if (failed) return std::nullopt;
  for (; processes != fs::directory_iterator(); processes.increment(failed)) {
    if (failed) return std::nullopt;
    const std::string name = processes->path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code closed;
    fs::directory_iterator fds(processes->path() / "fd", closed);
    const int why = closed.value();
    if (closed && why != EACCES && why != EPERM && why != ENOENT && why != ESRCH) return std::nullopt;
    for (const fs::directory_iterator end; !closed && fds != end; fds.increment(closed)) {
      if (!may_be(fds->path(), wanted_name)) continue;
      struct stat open {};
      if (::stat(fds->path().c_str(), &open) == 0 && open.st_dev == wanted.st_dev && open.st_ino == wanted.st_ino) {
        found.push_back(std::stoll(name));
        break;
      }
    }
  }
  return found;
}

}  // namespace wtpool::git
