#include "daemon/git/work/move_aside.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstdio>
#include <set>

#include "common/base/names.hpp"
#include "common/files/fd.hpp"
#include "common/files/files.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

void check_inside(const fs::path& work_tree, const std::string& relative) {
  const fs::path path(relative);
  bool bad = relative.empty() || path.is_absolute();
  for (const fs::path& part : path) bad = bad || part == ".." || part == "." || part == ".git";
  if (bad) {
    throw proto::Error(proto::ErrorKind::internal,
                       "cannot move '" + printable(relative) + "' aside: it is no path inside a slot");
  }
  fs::path leading = work_tree;
  for (const fs::path& part : path.parent_path()) {
    leading /= part;
    if (!is_directory_no_follow(leading))
      throw io_error("cannot move aside, for a directory on the way is none:", leading, ENOTDIR);
  }
}

void copy_content(const fs::path& from, const fs::path& to, const struct ::stat& stat) {
  const Fd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!in.valid()) throw io_error("cannot read", from, errno);
  const Fd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!out.valid()) throw io_error("cannot write", to, errno);
  std::array<char, 1 << 16> buffer{};
  for (;;) {
    const ssize_t got = ::read(in.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw io_error("cannot read", from, errno);
    if (got == 0) break;
    for (ssize_t done = 0; done < got;) {
      const ssize_t put = ::write(out.get(), buffer.data() + done, static_cast<std::size_t>(got - done));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) throw io_error("cannot write", to, errno);
      done += put;
    }
  }
  if (::fchmod(out.get(), stat.st_mode & 07777) != 0) throw io_error("cannot set the mode of", to, errno);
  std::error_code ignored;
  fs::last_write_time(to, fs::last_write_time(from, ignored), ignored);
  if (::fsync(out.get()) != 0) throw io_error("cannot sync", to, errno);
}

// Copies one thing, directories with all that is in them. Nothing of `from` is removed.
void copy_whole(const fs::path& from, const fs::path& to) {
  const auto stat = lstat_of(from);
  if (!stat) throw io_error("cannot copy", from, ENOENT);
  if (S_ISDIR(stat->st_mode)) {
    make_directories(to);
    for (const auto& child : fs::directory_iterator(from)) copy_whole(child.path(), to / child.path().filename());
    sync_directory(to);
  } else if (S_ISLNK(stat->st_mode)) {
    if (::symlink(fs::read_symlink(from).c_str(), to.c_str()) != 0) throw io_error("cannot make the symlink", to, errno);
  } else if (S_ISREG(stat->st_mode)) {
    copy_content(from, to, *stat);
  } else if (::mkfifo(to.c_str(), stat->st_mode & 07777) != 0) {
    throw io_error("cannot make", to, errno);  // sockets and pipes have no content: a pipe marks the place
  }
}

// What was copied would fill the disk once more with each try.
void remove_half(const fs::path& copy) {
  try {
    if (is_directory_no_follow(copy)) {
      remove_tree(copy);
    } else {
      ::unlink(copy.c_str());
    }
  } catch (const proto::Error&) {
  }
}

void move_whole(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return;
  if (errno != EXDEV) throw io_error("cannot move aside", from, errno);
  try {
    copy_whole(from, to);
  } catch (const fs::filesystem_error& error) {
    remove_half(to);
    throw io_error("cannot copy", from, error.code().value());
  } catch (const proto::Error&) {
    remove_half(to);
    throw;
  }
  sync_directory(to.parent_path());
  if (is_directory_no_follow(from)) {
    remove_tree(from);
  } else if (::unlink(from.c_str()) != 0) {
    throw io_error("cannot remove", from, errno);
  }
}

}  // namespace

void move_aside(const fs::path& work_tree, const std::vector<std::string>& paths, const fs::path& aside) {
  std::set<fs::path> written;
  for (const std::string& relative : paths) {
    check_inside(work_tree, relative);
    const fs::path from = work_tree / relative;
    if (!lstat_of(from)) continue;
    fs::path to = aside / relative;
    make_directories(to.parent_path(), 0755, true);
    // What was moved here before is work as well, and stays.
    for (int n = 1; lstat_of(to); ++n) to = aside / (relative + "." + std::to_string(n));
    move_whole(from, to);
    written.insert(to.parent_path());
  }
  for (const fs::path& directory : written) sync_directory(directory);
}

}  // namespace wtpool::git
