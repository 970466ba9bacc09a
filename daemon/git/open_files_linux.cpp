#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "daemon/git/open_files.hpp"

namespace wtpool::git {

namespace fs = std::filesystem;

std::optional<std::vector<std::int64_t>> openers_of(const fs::path& file) {
  std::vector<std::int64_t> found;
  struct stat wanted {};
  if (::lstat(file.c_str(), &wanted) != 0) return found;
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
