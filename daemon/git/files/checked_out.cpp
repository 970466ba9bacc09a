#include "daemon/git/files/checked_out.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "common/files/fd.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/text.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTooMuch = std::size_t{1} << 20;

bool says_nothing_of_the_file(int error) { return error == EMFILE || error == ENFILE || error == ENOMEM || error == EIO; }

bool is_absent(const Fd& directory, const std::string& name) {
  struct ::stat stat {};
  return ::fstatat(directory.get(), name.c_str(), &stat, AT_SYMLINK_NOFOLLOW) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

// A small file's text; nothing of it when it is not there or cannot be read. By plain calls below one open directory: four
// files of every worktree of the source are asked for at every acquire and release.
std::string text_at(const Fd& directory, const std::string& name, const fs::path& shown) {
  std::array<char, 4096> buffer;
  Fd fd;
  do {
    fd = Fd(::openat(directory.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  } while (!fd.valid() && errno == EINTR);
  if (!fd.valid()) {
    if (says_nothing_of_the_file(errno)) throw io_error("cannot read", shown / name, errno);
    if (errno != ELOOP) return {};
    const ssize_t length = ::readlinkat(directory.get(), name.c_str(), buffer.data(), buffer.size());
    return "link: " + std::string(buffer.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  }
  std::string text;
  while (text.size() <= kTooMuch) {
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EISDIR) throw io_error("cannot read", shown / name, errno);
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text;
}

std::vector<std::string> names_in(const Fd& directory, const fs::path& shown) {
  Fd again(::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, int (*)(DIR*)> list(again.valid() ? ::fdopendir(again.get()) : nullptr, ::closedir);
  if (!list && errno == ENOENT) return {};  // it is being removed
  if (!list) throw io_error("cannot list", shown, errno);
  (void)again.release();
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(list.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  if (errno != 0 && errno != ENOENT) throw io_error("cannot list", shown, errno);
  return names;
}

Fd open_directory(const fs::path& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno != ENOENT && errno != ENOTDIR && errno != EACCES) throw io_error("cannot open", directory, errno);
  return Fd(fd);
}

// `below`: the worktree's private directory, as seen from `directory`.
bool holds_branch_at(const Fd& directory, const std::string& below, const fs::path& shown, const std::string& branch) {
  const std::string ref = "refs/heads/" + branch;
  const auto text = [&](const char* name) { return trimmed(text_at(directory, below + name, shown)); };
  const auto rare = [&](const char* name) { return is_absent(directory, below + name) ? std::string() : text(name); };
  // git also takes a symbolic link to a ref.
  const std::string head = text("HEAD");
  if (head == "ref: " + ref || head == "link: " + ref) return true;
  const std::string bisected = rare("BISECT_START");
  if (bisected == branch || bisected == ref) return true;
  if (rare("rebase-apply/head-name") == ref) return true;
  const std::string rebased = rare("rebase-merge/head-name");
  if (rebased == ref) return true;
  if (rebased.empty()) return false;  // no rebase at all, as nearly always
  const auto updated = split(text("rebase-merge/update-refs"), '\n');
  return std::find(updated.begin(), updated.end(), ref) != updated.end();
}

}  // namespace

bool holds_branch(const fs::path& private_dir, const std::string& branch) {
  const Fd directory = open_directory(private_dir);
  return directory.valid() && holds_branch_at(directory, "", private_dir, branch);
}

std::optional<std::string> checked_out_at(const std::string& common_dir, const std::optional<std::string>& main_worktree,
                                          const std::string& name, const std::string& except) {
  if (main_worktree && holds_branch(common_dir, name)) return main_worktree;
  const fs::path worktrees = fs::path(common_dir) / "worktrees";
  const Fd directory = open_directory(worktrees);
  if (!directory.valid()) return std::nullopt;
  for (const std::string& git_id : names_in(directory, worktrees)) {
    if ((!except.empty() && git_id == except) || !holds_branch_at(directory, git_id + "/", worktrees, name)) continue;
    // Only now is it worth knowing where it stands.
    for (const Entry& entry : list_entries(common_dir)) {
      if (entry.git_id == git_id && !entry.worktree.empty()) return entry.worktree;
    }
    return (worktrees / git_id).string();
  }
  return std::nullopt;
}

}  // namespace wtpool::git
