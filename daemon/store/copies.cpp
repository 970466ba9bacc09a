#include "daemon/store/copies.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "common/base/clock.hpp"
#include "common/files/files.hpp"
#include "common/platform/clone.hpp"
#include "common/platform/clone_tree.hpp"
#include "daemon/store/beneath.hpp"
#include "daemon/store/names.hpp"

namespace wtpool::store {
namespace {

using std::filesystem::path;

// For the owner to write, everywhere below; the tree is the daemon's own until it is put in its place.
void make_writable(const path& tree) {
  for (const auto& each : std::filesystem::recursive_directory_iterator(tree)) {
    struct ::stat status {};
    if (::lstat(each.path().c_str(), &status) != 0 || S_ISLNK(status.st_mode)) continue;
    const mode_t wanted = (status.st_mode & 07777) | 0200U;
    if (wanted == (status.st_mode & 07777)) continue;
    if (::fchmodat(AT_FDCWD, each.path().c_str(), wanted, 0) != 0) throw io_error("cannot make writable", each.path(), errno);
  }
}

bool copy_file(const path& from, const path& to, bool clone, const struct ::stat& status) {
  const Fd source(::open(from.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!source.valid()) throw io_error("cannot read", from, errno);
  const Fd made(::open(to.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!made.valid()) throw io_error("cannot write", to, errno);
  bool shared = false;
  if (clone) {
    const auto cloned = clone_file(source.get(), made.get());
    if (!cloned) throw io_error("cannot write", to, errno);
    shared = *cloned == Cloned::shared;
  } else if (!copy_file_bytes(source.get(), made.get())) {
    throw io_error("cannot write", to, errno);
  }
  const std::array<struct ::timespec, 2> times{status.st_mtim, status.st_mtim};
  if (::fchmod(made.get(), (status.st_mode & 0777) | 0200U) != 0 || ::futimens(made.get(), times.data()) != 0)
    throw io_error("cannot write", to, errno);
  return shared;
}

}  // namespace

bool copy_out(const path& from, const path& to, bool clone) {
  struct ::stat status {};
  if (::lstat(from.c_str(), &status) != 0) throw io_error("cannot read", from, errno);
  if (S_ISREG(status.st_mode)) return copy_file(from, to, clone, status);
  if (S_ISLNK(status.st_mode)) {
    const auto target = link_target(AT_FDCWD, from.native());
    if (!target || ::symlink(target->c_str(), to.c_str()) != 0) throw io_error("cannot make the link", to, errno);
    return true;
  }
  const bool clones = clone && can_clone(to.parent_path()).works;
  if (::mkdir(to.c_str(), 0700) != 0) throw io_error("cannot make the directory", to, errno);
  CloneOptions options;
  options.method = clones ? CloneMethod::clone : CloneMethod::copy;
  try {
    const CloneReport report = clone_tree(from, to, options);
    make_writable(to);
    // clone_tree gives what is in the tree its modes and times, and leaves the directory itself to its maker.
    if (::fchmodat(AT_FDCWD, to.c_str(), (status.st_mode & 0777) | 0200U, 0) != 0) throw io_error("cannot write", to, errno);
    return clones && report.copied == 0;
  } catch (const proto::Error&) {
    remove_tree(to);
    throw;
  }
}

void exchange_into(const path& one, const path& top, const std::string& relative) {
  const Fd directory = open_beneath(top, parent_of(relative));
  if (!directory.valid()) throw io_error("cannot open the directory of", top / relative, errno);
#ifdef __linux__
  // By descriptor: nobody can swap the way to it.
  exchange(one, path("/proc/self/fd") / std::to_string(directory.get()) / base_of(relative));
#else
  exchange(one, top / relative);
#endif
}

}  // namespace wtpool::store
