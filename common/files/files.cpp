#include "common/files/files.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <system_error>
#include <utility>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/base/names.hpp"

namespace wtpool {
namespace {

using std::filesystem::path;

path directory_of(const path& file) { return file.has_parent_path() ? file.parent_path() : path("."); }

Fd open_retrying(const path& file, int flags, mode_t mode = 0) {
  int fd = -1;
  do {
    fd = ::open(file.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return Fd(fd);
}

std::int64_t nanoseconds(const struct ::timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::int64_t>(time.tv_nsec);
}

// 0, or the errno of what failed.
int write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return ENOSPC;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

int sync_file(int fd) {
#ifdef __APPLE__
  // fsync of macOS leaves the data in the drive's cache.
  if (::fcntl(fd, F_FULLFSYNC) == 0) return 0;
#endif
  int result = 0;
  do {
    result = ::fsync(fd);
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

constexpr std::string_view kStagedStart = ".wtpool-";
constexpr std::string_view kStagedEnd = ".tmp";

}  // namespace

StagedFile::StagedFile(path target, std::string_view content, mode_t mode)
    : target_(std::move(target)),
      path_(directory_of(target_) / (std::string(kStagedStart) + random_hex(16) + std::string(kStagedEnd))) {
  fd_ = open_retrying(path_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!fd_.valid()) throw io_error("cannot write", target_, errno);
  // By descriptor, so that the mode is the one asked for whatever the umask.
  int failure = ::fchmod(fd_.get(), mode) == 0 ? 0 : errno;
  if (failure == 0) failure = write_all(fd_.get(), content);
  if (failure == 0) return;
  ::unlink(path_.c_str());
  throw io_error("cannot write", target_, failure);
}

StagedFile::StagedFile(StagedFile&& other) noexcept
    : target_(std::move(other.target_)), path_(std::exchange(other.path_, path())), fd_(std::move(other.fd_)) {}

StagedFile::~StagedFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void StagedFile::sync() const {
  if (const int failure = sync_file(fd_.get())) throw io_error("cannot sync", target_, failure);
}

void StagedFile::put_in_place() {
  FAILPOINT("file.written");
  if (::rename(path_.c_str(), target_.c_str()) != 0) throw io_error("cannot replace", target_, errno);
  path_.clear();
  FAILPOINT("file.renamed");
}

// In a thread of its own, or, where none is to be had, in this one when its end is waited for.
constexpr auto kAsideIfPossible = std::launch::async | std::launch::deferred;

void sync_together(std::span<const int> descriptors, const path& named) {
  std::vector<std::future<int>> others;
  for (std::size_t i = 1; i < descriptors.size(); ++i) {
    others.push_back(std::async(kAsideIfPossible, sync_file, descriptors[i]));
  }
  int failure = descriptors.empty() ? 0 : sync_file(descriptors.front());
  for (auto& other : others) {
    const int its = other.get();
    if (failure == 0) failure = its;
  }
  if (failure != 0) throw io_error("cannot sync", named, failure);
}

void remove_staged(const path& directory) {
  std::error_code failed;
  for (std::filesystem::directory_iterator it(directory, failed), end; !failed && it != end; it.increment(failed)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with(kStagedStart) && name.ends_with(kStagedEnd)) ::unlink(it->path().c_str());
  }
}

std::vector<path> children_of(const path& directory) {
  std::vector<path> found;
  std::error_code failed;
  std::filesystem::directory_iterator it(directory, failed);
  const int why = failed.value();
  if (why == EMFILE || why == ENFILE || why == ENOMEM || why == EIO) throw io_error("cannot list", directory, why);
  for (const std::filesystem::directory_iterator end; !failed && it != end; it.increment(failed)) found.push_back(it->path());
  // It broke off; a directory that is removed meanwhile has nothing more in it.
  if (why == 0 && failed && failed.value() != ENOENT) throw io_error("cannot list", directory, failed.value());
  std::sort(found.begin(), found.end());
  return found;
}

proto::Error io_error(std::string_view what, const path& where, int error_number) {
  auto kind = proto::ErrorKind::io_error;
  if (error_number == ENOSPC || error_number == EDQUOT) kind = proto::ErrorKind::no_space;
  if (error_number == EROFS) kind = proto::ErrorKind::read_only;
  if (error_number == EACCES || error_number == EPERM) kind = proto::ErrorKind::permission_denied;
  return {kind, std::string(what) + " " + printable(where.native()) + ": " + std::generic_category().message(error_number)};
}

std::optional<std::string> read_file(const path& file, std::size_t limit) {
  // Without O_NONBLOCK a FIFO would hold the thread until somebody writes to it.
  const Fd fd = open_retrying(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (!fd.valid()) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw io_error("cannot read", file, errno);
  }
  struct ::stat status {};
  if (::fstat(fd.get(), &status) != 0) throw io_error("cannot read", file, errno);
  const auto refuse = [&](const std::string& why) {
    return proto::Error(proto::ErrorKind::io_error, "cannot read " + printable(file.native()) + ": " + why);
  };
  if (!S_ISREG(status.st_mode)) throw refuse("it is not a regular file");

  std::string content(static_cast<std::size_t>(status.st_size) < limit ? static_cast<std::size_t>(status.st_size) : limit,
                      '\0');
  std::size_t filled = 0;
  while (true) {
    // One byte past the end is asked for: the file may have grown, or claim no size at all (as those below /proc do).
    if (filled == content.size()) content.resize(filled < limit ? std::min(limit, filled + 4096) + 1 : limit + 1);
    const ssize_t count = ::read(fd.get(), content.data() + filled, content.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw io_error("cannot read", file, errno);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
    if (filled > limit) throw refuse("it has more than " + std::to_string(limit) + " bytes");
  }
  content.resize(filled);
  return content;
}

void write_durably(const path& file, std::string_view content, mode_t mode) {
  StagedFile staged(file, content, mode);
  staged.sync();
  staged.put_in_place();
  sync_directory(directory_of(file));
}

void write_atomically(const path& file, std::string_view content, mode_t mode) {
  StagedFile(file, content, mode).put_in_place();
}

bool unlink_durably(const path& file) {
  if (::unlink(file.c_str()) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    throw io_error("cannot remove", file, errno);
  }
  sync_directory(directory_of(file));
  return true;
}

void sync_directory(const path& directory) {
  const Fd fd = open_retrying(directory, O_RDONLY | O_DIRECTORY);
  if (!fd.valid()) throw io_error("cannot sync", directory, errno);
  const int failure = sync_file(fd.get());
  // Some file systems cannot sync a directory; there is nothing more that could be done on them.
  if (failure != 0 && failure != EINVAL && failure != ENOTSUP) throw io_error("cannot sync", directory, failure);
}

void sync_files(const std::vector<path>& files) {
  const auto open_each = [&](const auto& use) {
    for (const path& file : files) {
      const Fd fd = open_retrying(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
      if (!fd.valid() && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) continue;
      if (!fd.valid()) throw io_error("cannot sync", file, errno);
      struct ::stat status {};
      if (::fstat(fd.get(), &status) == 0 && S_ISREG(status.st_mode)) use(file, fd.get());
    }
  };
#ifdef __linux__
  // A hint only: it asks for the writing and does not wait.
  if (files.size() > 1) open_each([](const path&, int fd) { (void)::sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); });
#endif
  open_each([](const path& file, int fd) {
    if (const int failure = sync_file(fd)) throw io_error("cannot sync", file, failure);
  });
}

void make_directories(const path& directory, mode_t mode, bool durable) {
  if (directory.empty()) return;
  if (::mkdir(directory.c_str(), mode) == 0) {
    if (durable) sync_directory(directory_of(directory));
    return;
  }
  if (errno == ENOENT && directory.has_relative_path() && directory_of(directory) != directory) {
    make_directories(directory_of(directory), mode, durable);
    if (::mkdir(directory.c_str(), mode) == 0) {
      if (durable) sync_directory(directory_of(directory));
      return;
    }
  }
  const int failure = errno;
  struct ::stat status {};
  // A symlink to a directory is one here: a pool's root may be moved to another disk that way.
  if (::stat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return;
  throw io_error("cannot make the directory", directory, failure == EEXIST ? ENOTDIR : failure);
}

std::optional<struct ::stat> lstat_of(const path& file) {
  struct ::stat status {};
  if (::lstat(file.c_str(), &status) == 0) return status;
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  throw io_error("cannot look at", file, errno);
}

bool is_directory_no_follow(const path& file) {
  const auto status = lstat_of(file);
  return status && S_ISDIR(status->st_mode);
}

#ifdef __APPLE__
std::int64_t modified_ns(const struct ::stat& stat) { return nanoseconds(stat.st_mtimespec); }
std::int64_t changed_ns(const struct ::stat& stat) { return nanoseconds(stat.st_ctimespec); }
#else
std::int64_t modified_ns(const struct ::stat& stat) { return nanoseconds(stat.st_mtim); }
std::int64_t changed_ns(const struct ::stat& stat) { return nanoseconds(stat.st_ctim); }
#endif

path real_path(const path& file) {
  std::error_code failure;
  const path absolute = std::filesystem::absolute(file, failure);
  path existing = failure ? file : absolute;
  path rest;
  while (true) {
    path real = std::filesystem::canonical(existing, failure);
    if (!failure) return rest.empty() ? real : (real / rest).lexically_normal();
    const path parent = existing.parent_path();
    if (parent == existing || parent.empty()) return (existing / rest).lexically_normal();
    if (!existing.filename().empty()) rest = rest.empty() ? existing.filename() : existing.filename() / rest;
    existing = parent;
  }
}

std::optional<std::uint64_t> free_bytes(const path& where) {
  struct ::statvfs status {};
  int result = 0;
  do {
    result = ::statvfs(where.c_str(), &status);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return std::nullopt;
  return static_cast<std::uint64_t>(status.f_bavail) * static_cast<std::uint64_t>(status.f_frsize);
}

}  // namespace wtpool
