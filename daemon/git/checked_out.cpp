#include "daemon/git/checked_out.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/fd.hpp"
#include "common/files.hpp"
#include "daemon/git/entries.hpp"
#include "daemon/git/source.hpp"
#include "daemon/git/text.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTooMuch = std::size_t{1} << 20;
constexpr std::size_t kUsual = 4096;  // most of these files are one line

// A small file's text; nothing of it when it is not there or cannot be read. By plain calls below one open directory: four
// files of every worktree of the source are asked for at every acquire.
std::string text_at(const Fd& directory, const std::string& name, const fs::path& shown) {
  Fd fd;
  do {
    fd = Fd(::openat(directory.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  } while (!fd.valid() && errno == EINTR);
  if (!fd.valid()) {
    // A system that has nothing left says nothing of the file.
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO)
      throw io_error("cannot read", shown / name, errno);
    if (errno != ELOOP) return {};
    std::string target(kUsual, '\0');
    const ssize_t length = ::readlinkat(directory.get(), name.c_str(), target.data(), target.size());
    target.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    return "link: " + target;
  }
  std::string text;
  for (std::size_t filled = 0;;) {
    text.resize(filled + kUsual);
    const ssize_t count = ::read(fd.get(), text.data() + filled, kUsual);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EISDIR) throw io_error("cannot read", shown / name, errno);
    filled += count > 0 ? static_cast<std::size_t>(count) : 0;
    text.resize(filled);
    if (count <= 0 || filled > kTooMuch) return text;
  }
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
  // git also takes a symbolic link to a ref.
  const std::string head = text("HEAD");
  if (head == "ref: " + ref || head == "link: " + ref) return true;
  const std::string bisected = text("BISECT_START");
  if (bisected == branch || bisected == ref) return true;
  if (text("rebase-apply/head-name") == ref) return true;
  const std::string rebased = text("rebase-merge/head-name");
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

std::optional<std::string> checked_out_at(const SourceFacts& source, const std::string& name, const std::string& except) {
  if (source.worktree && holds_branch(source.common_dir, name)) return source.worktree;
  const fs::path worktrees = fs::path(source.common_dir) / "worktrees";
  const Fd directory = open_directory(worktrees);
  if (!directory.valid()) return std::nullopt;
  for (const fs::path& private_dir : children_of(worktrees)) {
    const std::string git_id = private_dir.filename().string();
    if ((!except.empty() && git_id == except) || !holds_branch_at(directory, git_id + "/", worktrees, name)) continue;
    // Only now is it worth knowing where it stands.
    for (const Entry& entry : list_entries(source.common_dir)) {
      if (entry.git_id == git_id && !entry.worktree.empty()) return entry.worktree;
    }
    return private_dir.string();
  }
  return std::nullopt;
}

}  // namespace wtpool::git
