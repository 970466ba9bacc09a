// 1. The entries of a directory are read, and `keep` is asked of each. 2. Files and symlinks are made; a subdirectory is made
// and followed, by this thread, or by another one that has nothing to do. 3. The directory gets its mode and its times: nothing
// is made in it any more. A thread keeps two descriptors a level open, so width costs none.
#include "common/platform/clone_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

#include "common/files/files.hpp"
#include "common/platform/clone.hpp"

namespace wtpool {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostWaiting = 32;  // directories that are open and wait for a thread

struct Directory {
  Fd from;
  Fd to;
  std::string path;  // relative to the tree; empty at the top
  std::size_t depth = 0;
  bool all = false;  // nothing in it is asked for
};

void times_of(const struct ::stat& stat, struct timespec (&times)[2]) {
#ifdef __APPLE__
  times[0] = stat.st_atimespec;
  times[1] = stat.st_mtimespec;
#else
  times[0] = stat.st_atim;
  times[1] = stat.st_mtim;
#endif
}

mode_t permissions_of(const struct ::stat& stat) { return stat.st_mode & 01777; }

// Kept where the other file system takes them. They come before the mode, since writing them takes write permission.
void copy_user_xattrs(int from, int to) {
#ifdef __linux__
  std::string names(256, '\0');
  ssize_t size = ::flistxattr(from, names.data(), names.size());
  if (size == 0 || (size < 0 && errno != ERANGE)) return;
  if (size < 0) {
    names.resize(std::size_t{1} << 16);
    size = ::flistxattr(from, names.data(), names.size());
    if (size <= 0) return;
  }
  std::string value(std::size_t{1} << 16, '\0');
  for (std::size_t at = 0; at < static_cast<std::size_t>(size); at += std::string_view(names.c_str() + at).size() + 1) {
    const char* const name = names.c_str() + at;
    if (!std::string_view(name).starts_with("user.")) continue;
    const ssize_t length = ::fgetxattr(from, name, value.data(), value.size());
    if (length >= 0) (void)::fsetxattr(to, name, value.data(), static_cast<std::size_t>(length), 0);
  }
#else
  (void)from, (void)to;
#endif
}

std::vector<std::string> names_in(int directory, const fs::path& where) {
  Fd own(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(own.valid() ? ::fdopendir(own.get()) : nullptr,
                                                   [](DIR* open) { return open != nullptr ? ::closedir(open) : 0; });
  if (!stream) throw io_error("cannot read", where, errno);
  (void)own.release();
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* const entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) throw io_error("cannot read", where, errno);
  return names;
}

class TreeClone {
 public:
  TreeClone(const fs::path& from, const fs::path& to, const CloneOptions& options)
      : from_(from), to_(to), options_(options), user_(::geteuid()) {}

  CloneReport run() {
    Directory top;
    top.from.reset(::open(from_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!top.from.valid()) throw io_error("cannot clone", from_, errno);
    top.to.reset(::open(to_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!top.to.valid()) throw io_error("cannot clone into", to_, errno);
    struct ::stat stat {};
    if (::fstat(top.from.get(), &stat) != 0) throw io_error("cannot clone", from_, errno);
    device_ = stat.st_dev;
    top.all = !options_.keep;
    waiting_.push_back(std::move(top));
    std::vector<std::thread> helpers;
    for (unsigned i = 1; i < options_.threads; ++i) helpers.emplace_back([this] { work(); });
    work();
    for (auto& helper : helpers) helper.join();
    if (failure_) std::rethrow_exception(failure_);
    for (auto* names : {&total_.left_out, &total_.refused, &total_.changed}) std::sort(names->begin(), names->end());
    return std::move(total_);
  }

 private:
  // One thread: takes directories until none waits and nobody is at work on one, which could bring more.
  void work() {
    CloneReport report;
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      changed_.wait(lock, [this] { return !waiting_.empty() || busy_ == 0 || failure_; });
      --idle_;
      if (waiting_.empty() || failure_) break;
      Directory next = std::move(waiting_.front());
      waiting_.pop_front();
      ++busy_;
      lock.unlock();
      std::exception_ptr failed;
      try {
        clone_directory(std::move(next), report);
      } catch (...) {
        failed = std::current_exception();
      }
      lock.lock();
      --busy_;
      if (failed && !failure_) failure_ = failed;
      changed_.notify_all();
    }
    add(report);
  }

  void add(CloneReport& report) {
    total_.files += report.files;
    total_.directories += report.directories;
    total_.bytes += report.bytes;
    total_.copied += report.copied;
    const auto append = [](std::vector<std::string>& to, std::vector<std::string>& more) {
      to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    };
    append(total_.left_out, report.left_out);
    append(total_.refused, report.refused);
    append(total_.changed, report.changed);
  }

  // Given to another thread where one has nothing to do, else done here.
  void follow(Directory directory, CloneReport& report) {
    {
      const std::lock_guard lock(mutex_);
      if (idle_ > waiting_.size() && waiting_.size() < kMostWaiting) {
        waiting_.push_back(std::move(directory));
        changed_.notify_one();
        return;
      }
    }
    clone_directory(std::move(directory), report);
  }

  void check_stop() {
    if (options_.stop && options_.stop())
      throw proto::Error(proto::ErrorKind::cancelled, "cancelled while cloning " + from_.string());
    const std::lock_guard lock(mutex_);
    if (failure_) throw proto::Error(proto::ErrorKind::cancelled, "cancelled");
  }

  void clone_directory(Directory directory, CloneReport& report) {
    check_stop();
    struct ::stat stat {};
    if (::fstat(directory.from.get(), &stat) != 0) throw io_error("cannot clone", from_ / directory.path, errno);
    for (const std::string& name : names_in(directory.from.get(), from_ / directory.path)) {
      if (directory.depth == 0 && name == ".git") continue;
      clone_entry(directory, name, report);
    }
    if (directory.depth > 0) {
      ++report.directories;
      copy_user_xattrs(directory.from.get(), directory.to.get());
      struct timespec times[2];
      times_of(stat, times);
      if (::fchmod(directory.to.get(), permissions_of(stat)) != 0 || ::futimens(directory.to.get(), times) != 0)
        throw io_error("cannot clone into", to_ / directory.path, errno);
    }
  }

  void clone_entry(const Directory& directory, const std::string& name, CloneReport& report) {
    const std::string path = directory.path.empty() ? name : directory.path + "/" + name;
    struct ::stat stat {};
    if (::fstatat(directory.from.get(), name.c_str(), &stat, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return;
      throw io_error("cannot clone", from_ / path, errno);
    }
    Keep keep = Keep::all;
    if (!directory.all && (keep = options_.keep(path, S_ISDIR(stat.st_mode))) == Keep::no) {
      report.refused.push_back(path);
      return;
    }
    const bool foreign = stat.st_uid != user_ || stat.st_dev != device_;
    if (foreign || !(S_ISREG(stat.st_mode) || S_ISLNK(stat.st_mode) || S_ISDIR(stat.st_mode))) {
      report.left_out.push_back(path);
      return;
    }
    if (S_ISDIR(stat.st_mode)) return clone_subdirectory(directory, name, path, keep, report);
    ++report.files;
    if (options_.unchanged_since && changed_ns(stat) > *options_.unchanged_since) report.changed.push_back(path);
    S_ISLNK(stat.st_mode) ? clone_symlink(directory, name, path, stat) : clone_regular(directory, name, path, report);
  }

  void clone_subdirectory(const Directory& directory, const std::string& name, const std::string& path, Keep keep,
                          CloneReport& report) {
    if (directory.depth + 1 > kDeepestClone)
      throw proto::Error(proto::ErrorKind::io_error, "cannot clone " + (from_ / path).string() + ": it is too deep");
    Directory made;
    made.from.reset(::openat(directory.from.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!made.from.valid()) throw io_error("cannot clone", from_ / path, errno);
    struct ::stat stat {};
    if (keep != Keep::empty && ::fstatat(made.from.get(), ".git", &stat, AT_SYMLINK_NOFOLLOW) == 0) {
      report.left_out.push_back(path);
      return;
    }
    if (::mkdirat(directory.to.get(), name.c_str(), 0700) != 0) throw io_error("cannot make", to_ / path, errno);
    made.to.reset(::openat(directory.to.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!made.to.valid()) throw io_error("cannot make", to_ / path, errno);
    if (keep == Keep::empty) {
      ++report.directories;
      if (::fchmod(made.to.get(), 0755) != 0) throw io_error("cannot make", to_ / path, errno);
      return;
    }
    made.path = path;
    made.depth = directory.depth + 1;
    made.all = keep == Keep::all;
    follow(std::move(made), report);
  }

  void clone_symlink(const Directory& directory, const std::string& name, const std::string& path, const struct ::stat& stat) {
    std::string target(static_cast<std::size_t>(std::max<off_t>(stat.st_size, 1)) + 1, '\0');
    ssize_t length = ::readlinkat(directory.from.get(), name.c_str(), target.data(), target.size());
    if (length == static_cast<ssize_t>(target.size())) {  // it grew meanwhile
      target.resize(std::size_t{1} << 16);
      length = ::readlinkat(directory.from.get(), name.c_str(), target.data(), target.size());
    }
    if (length < 0) throw io_error("cannot clone", from_ / path, errno);
    target.resize(static_cast<std::size_t>(length));
    struct timespec times[2];
    times_of(stat, times);
    if (::symlinkat(target.c_str(), directory.to.get(), name.c_str()) != 0 ||
        ::utimensat(directory.to.get(), name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
      throw io_error("cannot make", to_ / path, errno);
  }

  void clone_regular(const Directory& directory, const std::string& name, const std::string& path, CloneReport& report) {
    // Without O_NONBLOCK a pipe that took the file's name meanwhile would be waited for.
    const Fd from(::openat(directory.from.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct ::stat stat {};
    if (!from.valid() || ::fstat(from.get(), &stat) != 0) throw io_error("cannot clone", from_ / path, errno);
    if (!S_ISREG(stat.st_mode) || stat.st_uid != user_) {
      --report.files;
      report.left_out.push_back(path);
      return;
    }
    const Fd to(::openat(directory.to.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!to.valid()) throw io_error("cannot make", to_ / path, errno);
    if (stat.st_size > 0) {
      if (options_.method == CloneMethod::copy) {
        if (!copy_file_bytes(from.get(), to.get())) throw io_error("cannot copy to", to_ / path, errno);
      } else {
        const auto cloned = clone_file(from.get(), to.get());
        if (!cloned) throw io_error("cannot clone to", to_ / path, errno);
        if (*cloned == Cloned::copied) ++report.copied;
      }
    }
    report.bytes += static_cast<std::uint64_t>(stat.st_size);
    copy_user_xattrs(from.get(), to.get());
    struct timespec times[2];
    times_of(stat, times);
    if (::fchmod(to.get(), permissions_of(stat)) != 0 || ::futimens(to.get(), times) != 0)
      throw io_error("cannot clone to", to_ / path, errno);
  }

  const fs::path& from_;
  const fs::path& to_;
  const CloneOptions& options_;
  const uid_t user_;
  dev_t device_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Directory> waiting_;
  std::size_t busy_ = 0;
  std::size_t idle_ = 0;
  std::exception_ptr failure_;
  CloneReport total_;
};

}  // namespace

CloneReport clone_tree(const fs::path& from, const fs::path& to, const CloneOptions& options) {
  return TreeClone(from, to, options).run();
}

}  // namespace wtpool
