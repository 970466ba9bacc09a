#include "daemon/git/files/head_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/base/clock.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/refs_on_disk.hpp"
#include "daemon/git/files/text.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

// git's own name for who did it would cost a git to ask; readers of a reflog look at the ids and the text.
constexpr const char* kIdent = "wtpool <wtpool@localhost>";

Fd open_plain(const fs::path& file, int flags, mode_t mode = 0) {
  int fd = -1;
  do {
    fd = ::open(file.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return Fd(fd);
}

// In one write, so that who appends at the same time does not get into it.
bool write_at_once(const Fd& fd, const std::string& text) {
  ssize_t count = 0;
  do {
    count = ::write(fd.get(), text.data(), text.size());
  } while (count < 0 && errno == EINTR);
  if (count >= 0 && count != static_cast<ssize_t>(text.size())) errno = ENOSPC;
  return count == static_cast<ssize_t>(text.size());
}

fs::path reflog_of(const fs::path& entry) { return entry / "logs" / "HEAD"; }

bool is_plain(const fs::path& file) {
  const auto stat = lstat_of(file);
  return stat && S_ISREG(stat->st_mode);
}

// As git says it for a switch to a new branch. What the reflog has of the last holder is the way back to what he dropped.
void append_to_reflog(const fs::path& entry, const Oid& from, const Oid& to, const std::string& branch) {
  const fs::path file = reflog_of(entry);
  const Fd log = open_plain(file, O_RDWR | O_APPEND);
  struct ::stat status {};
  if (!log.valid() || ::fstat(log.get(), &status) != 0) throw io_error("cannot write to", file, errno);
  std::string line = from.str() + " " + to.str() + " " + kIdent + " " + std::to_string(wall_now()) +
                     " +0000\tcheckout: moving from " + from.str() + " to " + branch + "\n";
  // A line that was cut must not swallow this one.
  char last = '\n';
  if (status.st_size > 0 && ::pread(log.get(), &last, 1, status.st_size - 1) == 1 && last != '\n') line.insert(0, "\n");
  if (!write_at_once(log, line)) throw io_error("cannot write to", file, errno);
}

}  // namespace

HeadLock::HeadLock(fs::path entry, Oid from, std::string branch)
    : entry_(std::move(entry)), from_(std::move(from)), branch_(std::move(branch)) {}

HeadLock::HeadLock(HeadLock&& other) noexcept
    : entry_(std::move(other.entry_)),
      from_(std::move(other.from_)),
      branch_(std::move(other.branch_)),
      fd_(std::move(other.fd_)),
      locked_(std::exchange(other.locked_, false)) {}

HeadLock::~HeadLock() {
  if (locked_) ::unlink((entry_ / "HEAD.lock").c_str());
}

std::optional<HeadLock> HeadLock::take(const fs::path& entry, const Oid& from, const std::string& branch) {
  if (!RefFiles::open(entry.parent_path().parent_path().string()) || lstat_of(entry / "reftable")) return std::nullopt;
  const auto head = lstat_of(entry / "HEAD");
  if (!head || !S_ISREG(head->st_mode) || !is_plain(reflog_of(entry))) return std::nullopt;
  HeadLock lock(entry, from, branch);
  lock.fd_ = open_plain(entry / "HEAD.lock", O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (!lock.fd_.valid()) {
    if (errno == EEXIST || errno == ELOOP) return std::nullopt;
    throw io_error("cannot lock", entry / "HEAD", errno);
  }
  lock.locked_ = true;
  // Only now does nobody change it any more.
  if (trimmed(read_file(entry / "HEAD").value_or("")) != from.str()) return std::nullopt;
  // The mode that HEAD has is what core.sharedRepository made of it.
  if (::fchmod(lock.fd_.get(), head->st_mode & 07777) != 0 || !write_at_once(lock.fd_, "ref: refs/heads/" + branch + "\n")) {
    throw io_error("cannot lock", entry / "HEAD", errno);
  }
  return lock;
}

void HeadLock::commit(const Oid& to) {
  append_to_reflog(entry_, from_, to, branch_);
  if (::rename((entry_ / "HEAD.lock").c_str(), (entry_ / "HEAD").c_str()) != 0) {
    throw io_error("cannot replace", entry_ / "HEAD", errno);
  }
  locked_ = false;
}

}  // namespace wtpool::git
