// remove_tree of files.hpp. Works on descriptors from the top down, so that nobody can swap a symlink in on the way; keeps at
// most kMaxDepth directories open, since a tree may be deeper than the descriptor limit.
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/files/files.hpp"

namespace wtpool {
namespace {

using std::filesystem::path;

constexpr std::size_t kMaxDepth = 64;

int open_plain(int parent, const char* name) { return ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }

// A directory below `parent`, on the same mount; -1 with errno EXDEV on another one.
int open_directory(int parent, const char* name) {
#ifdef __linux__
  // The device number alone does not tell a bind mount of the same file system from a plain directory.
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;
  const long fd = ::syscall(SYS_openat2, parent, name, &how, sizeof how);
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM && errno != EAGAIN)) return static_cast<int>(fd);
#endif
  return open_plain(parent, name);
}

class TreeRemover {
 public:
  explicit TreeRemover(const path& root) : root_(root) {}

  void run() {
    do {
      deferred_ = false;
      Fd top(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!top.valid() && errno == EACCES && ::fchmodat(AT_FDCWD, root_.c_str(), 0700, AT_SYMLINK_NOFOLLOW) == 0)
        top.reset(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!top.valid()) throw io_error("cannot remove", root_, errno);
      struct ::stat status {};
      if (::fstat(top.get(), &status) != 0) throw io_error("cannot remove", root_, errno);
      device_ = status.st_dev;
      make_writable(top.get(), status);
      top_ = top.get();
      empty(top.get(), root_, 0);
    } while (deferred_ && !failure_);
    if (failure_) throw *failure_;
    if (::rmdir(root_.c_str()) != 0 && errno != ENOENT) throw io_error("cannot remove", root_, errno);
  }

 private:
  static void make_writable(int fd, const struct ::stat& status) {
    if ((status.st_mode & 0700) != 0700) ::fchmod(fd, (status.st_mode & 07777) | 0700);
  }

  // What cannot be removed does not keep the rest: the first failure is reported at the end.
  void failed(const path& where, int error_number) {
    if (!failure_) failure_ = std::make_unique<proto::Error>(io_error("cannot remove", where, error_number));
  }

  void empty(int fd, const path& where, std::size_t depth) {
    for (const std::string& name : names_in(fd, where)) remove_entry(fd, name, where / name, depth);
  }

  std::vector<std::string> names_in(int fd, const path& where) {
    std::vector<std::string> names;
    Fd own(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(own.valid() ? ::fdopendir(own.get()) : nullptr,
                                                     [](DIR* d) { return d != nullptr ? ::closedir(d) : 0; });
    if (!stream) {
      failed(where, errno);
      return names;
    }
    (void)own.release();
    ::rewinddir(stream.get());
    while (true) {
      errno = 0;
      const dirent* const entry = ::readdir(stream.get());
      if (entry == nullptr) break;
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    if (errno != 0) failed(where, errno);
    return names;
  }

  void remove_entry(int parent, const std::string& name, const path& where, std::size_t depth) {
    // Most entries are files: one call. A directory answers EISDIR (Linux) or EPERM (macOS).
    if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return;
    const int why = errno;
    struct ::stat status {};
    if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) failed(where, errno);
      return;
    }
    if (!S_ISDIR(status.st_mode)) return failed(where, why);
    if (status.st_dev != device_) return failed(where, EXDEV);
    if (depth + 1 >= kMaxDepth) return defer(parent, name, where);
    remove_directory(parent, name, where, depth);
  }

  void remove_directory(int parent, const std::string& name, const path& where, std::size_t depth) {
    Fd fd(open_directory(parent, name.c_str()));
    if (!fd.valid() && errno == EACCES && ::fchmodat(parent, name.c_str(), 0700, AT_SYMLINK_NOFOLLOW) == 0)
      fd.reset(open_directory(parent, name.c_str()));
    struct ::stat status {};
    if (!fd.valid() || ::fstat(fd.get(), &status) != 0) return failed(where, errno);
    if (status.st_dev != device_) return failed(where, EXDEV);
    make_writable(fd.get(), status);
    empty(fd.get(), where, depth + 1);
    fd.reset();
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT && !failure_) failed(where, errno);
  }

  // Moves a directory that is too deep to the top; the next round takes it from there.
  void defer(int parent, const std::string& name, const path& where) {
    ::fchmodat(parent, name.c_str(), 0700, AT_SYMLINK_NOFOLLOW);
    if (::renameat(parent, name.c_str(), top_, (".wtpool-deep-" + random_hex(16)).c_str()) != 0) return failed(where, errno);
    deferred_ = true;
  }

  const path& root_;
  dev_t device_ = 0;
  int top_ = -1;
  bool deferred_ = false;
  std::unique_ptr<proto::Error> failure_;
};

}  // namespace

void remove_tree(const path& file) {
  const auto status = lstat_of(file);
  if (!status) return;
  if (S_ISDIR(status->st_mode)) return TreeRemover(file).run();
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) throw io_error("cannot remove", file, errno);
}

}  // namespace wtpool
