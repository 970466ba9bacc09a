#include "daemon/disk/locks.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <sstream>

#include "common/files/files.hpp"
#include "common/process/run_child.hpp"

namespace wtpool::disk {
namespace {

// One who only looks whether a lock is held has it for microseconds; a lock that is free otherwise must not seem taken by that,
// nor by a child of ours that has not come to its exec.
constexpr int kTries = 6;
constexpr auto kBetween = std::chrono::milliseconds(2);

// 0, or the errno of flock(2).
int flock_now(int fd, int operation) {
  int result = 0;
  do {
    result = ::flock(fd, operation | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

// Is `fd` still the file of that name? Else the lock on it excludes nobody.
bool is_file_of(int fd, const path& file) {
  struct ::stat held {
  }, named{};
  return ::fstat(fd, &held) == 0 && ::lstat(file.c_str(), &named) == 0 && held.st_dev == named.st_dev &&
         held.st_ino == named.st_ino;
}

}  // namespace

std::optional<FileLock> FileLock::try_take(const path& file) {
  for (int attempt = 0; attempt < kTries; ++attempt) {
    if (attempt > 0) ::usleep(static_cast<useconds_t>(std::chrono::microseconds(kBetween).count()));
    Fd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    if (!fd.valid() && errno == EINTR) continue;
    if (!fd.valid()) throw io_error("cannot open the lock", file, errno);
    struct ::stat status {};
    if (::fstat(fd.get(), &status) != 0) throw io_error("cannot open the lock", file, errno);
    if (!S_ISREG(status.st_mode)) throw io_error("cannot open the lock", file, EINVAL);
    const int failure = flock_now(fd.get(), LOCK_EX);
    if (failure == EWOULDBLOCK) {
      wait_for_births();
      continue;
    }
    if (failure != 0) throw io_error("cannot take the lock", file, failure);
    if (is_file_of(fd.get(), file)) return FileLock(std::move(fd));
  }
  return std::nullopt;
}

bool FileLock::is_held(const path& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    throw io_error("cannot look at the lock", file, errno);
  }
  const int failure = flock_now(fd.get(), LOCK_SH);
  if (failure == 0) ::flock(fd.get(), LOCK_UN);
  if (failure != 0 && failure != EWOULDBLOCK) throw io_error("cannot look at the lock", file, failure);
  return failure == EWOULDBLOCK;
}

void FileLock::set_text(const std::string& text) const {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = ::pwrite(fd_.get(), text.data() + written, text.size() - written, static_cast<off_t>(written));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw io_error("cannot write to", "a lock file", count < 0 ? errno : ENOSPC);
    written += static_cast<std::size_t>(count);
  }
  if (::ftruncate(fd_.get(), static_cast<off_t>(text.size())) != 0) throw io_error("cannot write to", "a lock file", errno);
}

std::string FileLock::text_of(const path& file) { return read_file(file, 64 * 1024).value_or(std::string()); }

std::optional<SlotLock> SlotLock::try_take(const PoolFiles& files, const SlotId& slot) {
  // Only the last level is made: a pool whose disk is not there must not come to be by locking it.
  if (::mkdir(files.init_dir().c_str(), 0755) != 0 && errno != EEXIST)
    throw io_error("cannot make the directory", files.init_dir(), errno);
  auto lock = FileLock::try_take(files.slot_lock(slot));
  if (!lock) return std::nullopt;
  return SlotLock(std::move(*lock));
}

void SlotLock::record_child(pid_t child) const {
  const auto stamp = platform::stamp_of(child);
  if (!stamp) return lock_.set_text("");  // it has ended already
  lock_.set_text(std::to_string(stamp->pid) + " " + std::to_string(stamp->start) + " " + stamp->boot_id + "\n");
}

std::optional<platform::ProcessStamp> SlotLock::recorded_child(const PoolFiles& files, const SlotId& slot) {
  const std::string text = FileLock::text_of(files.slot_lock(slot));
  if (text.empty() || text.back() != '\n') return std::nullopt;
  std::istringstream fields(text);
  platform::ProcessStamp stamp;
  if (!(fields >> stamp.pid >> stamp.start >> stamp.boot_id) || !platform::alive(stamp)) return std::nullopt;
  return stamp;
}

}  // namespace wtpool::disk
