#include "daemon/git/tree/blocking_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/log.hpp"
#include "common/base/names.hpp"
#include "common/files/fd.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/index_file.hpp"
#include "daemon/git/files/text.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

bool git_opens(const std::string& name, const std::string& directory) {
  return name == ".gitattributes" || name == ".gitignore" || (name == ".gitmodules" && directory.empty());
}

std::string joined(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

bool may_block(mode_t mode) { return !S_ISREG(mode) && !S_ISDIR(mode) && !S_ISLNK(mode); }

// What cannot be looked at by its name, git cannot open by it.
mode_t mode_of(const fs::path& path) {
  struct ::stat stat {};
  if (::lstat(path.c_str(), &stat) == 0) return stat.st_mode;
  if (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP || errno == ENAMETOOLONG) return 0;
  throw io_error("cannot look at", path, errno);
}

bool blocks(const fs::path& path) {
  const mode_t mode = mode_of(path);
  return mode != 0 && may_block(mode);
}

// Not out of the slot, nor back to where one was.
bool leads_down(const std::string& name) { return !name.empty() && name != "." && name != ".." && name != ".git"; }

bool is_reached(const fs::path& work_tree, const std::string& directory) {
  fs::path at = work_tree;
  for (const std::string& part : split(directory, '/')) {
    at /= part;
    if (!leads_down(part) || !S_ISDIR(mode_of(at))) return false;
  }
  return true;
}

// Of a repository that stands in the slot, by its git directory: what git reads to know that it is one, and where it stands.
void add_of_repository(const fs::path& work_tree, const std::string& git_dir, std::vector<std::string>& found) {
  for (const char* name : {"HEAD", "commondir", "config"}) {
    if (blocks(work_tree / git_dir / name)) found.push_back(joined(git_dir, name));
  }
  std::error_code failed;
  if (!S_ISDIR(mode_of(work_tree / git_dir / "refs"))) return;
  fs::recursive_directory_iterator at(work_tree / git_dir / "refs", fs::directory_options::skip_permission_denied, failed);
  for (const fs::recursive_directory_iterator end; !failed && at != end; at.increment(failed)) {
    if (blocks(at->path())) found.push_back(at->path().lexically_relative(work_tree).string());
  }
}

// The git directory that a .git in the slot stands for, itself or by its text, when that is in the slot too.
std::optional<std::string> git_dir_of(const fs::path& work_tree, const fs::path& dot_git) {
  if (dot_git.parent_path() == work_tree) return std::nullopt;  // the slot's own
  const mode_t mode = mode_of(dot_git);
  if (S_ISDIR(mode)) return dot_git.lexically_relative(work_tree).string();
  if (!S_ISREG(mode)) return std::nullopt;
  constexpr std::string_view kLead = "gitdir: ";
  std::string text;
  try {
    text = read_file(dot_git).value_or("");
  } catch (const proto::Error&) {
    return std::nullopt;  // git cannot read it either
  }
  if (!text.starts_with(kLead)) return std::nullopt;
  const fs::path named = trimmed(text.substr(kLead.size()));
  std::string inside = (dot_git.parent_path() / named).lexically_normal().lexically_relative(work_tree).string();
  return is_reached(work_tree, inside) ? std::optional(std::move(inside)) : std::nullopt;
}

// Through real directories only, whatever is put in their places meanwhile.
void remove_at(const fs::path& work_tree, const std::string& path) {
  constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  Fd at(::open(work_tree.c_str(), kDirectory));
  const std::vector<std::string> parts = split(path, '/');
  for (std::size_t i = 0; at.valid() && i + 1 < parts.size(); ++i) at = Fd(::openat(at.get(), parts[i].c_str(), kDirectory));
  if (!at.valid()) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return;  // it is not there any more
    throw io_error("cannot open the directory of", work_tree / path, errno);
  }
  struct ::stat stat {};
  const std::string& name = parts.back();
  if (::fstatat(at.get(), name.c_str(), &stat, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return;
    throw io_error("cannot look at", work_tree / path, errno);
  }
  if (may_block(stat.st_mode) && ::unlinkat(at.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
    throw io_error("cannot remove", work_tree / path, errno);
  }
}

}  // namespace

std::vector<std::string> blocking_files_in(const fs::path& work_tree, const std::set<std::string>& directories) {
  std::vector<std::string> found;
  std::set<std::string> real{""};
  // In their order, each stands behind the one it is in.
  for (const std::string& directory : directories) {
    if (!directory.empty()) {
      const std::size_t slash = directory.rfind('/');
      const std::string parent = slash == std::string::npos ? "" : directory.substr(0, slash);
      const bool down = real.contains(parent) && leads_down(directory.substr(slash + 1));
      if (!down || !S_ISDIR(mode_of(work_tree / directory))) continue;
      real.insert(directory);
    }
    for (const char* name : {".gitattributes", ".gitignore", ".gitmodules"}) {
      if (git_opens(name, directory) && blocks(work_tree / directory / name)) found.push_back(joined(directory, name));
    }
  }
  return found;
}

std::vector<std::string> blocking_files_below(const fs::path& work_tree, const std::string& directory) {
  std::vector<std::string> found;
  if (!is_reached(work_tree, directory)) return found;
  std::error_code failed;
  const fs::path top = work_tree / directory;
  fs::recursive_directory_iterator at(top, fs::directory_options::skip_permission_denied, failed);
  for (const fs::recursive_directory_iterator end; !failed && at != end; at.increment(failed)) {
    const fs::path& path = at->path();
    const std::string name = path.filename().string();
    if (name == ".git") {
      at.disable_recursion_pending();
      if (const auto git_dir = git_dir_of(work_tree, path)) add_of_repository(work_tree, *git_dir, found);
      continue;
    }
    if (!name.starts_with(".git")) continue;
    const std::string parent = path.parent_path().lexically_relative(work_tree).string();
    const std::string beside = parent == "." ? "" : parent;
    if (git_opens(name, beside) && blocks(path)) found.push_back(joined(beside, name));
  }
  return found;
}

std::vector<std::string> blocking_files_of(const Git& slot) {
  const fs::path work_tree = slot.place().work_tree;
  const auto directories = directories_in(fs::path(slot.place().git_dir) / "index");
  return directories ? blocking_files_in(work_tree, *directories) : blocking_files_below(work_tree);
}

void remove_blocking_files(const Git& slot, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    remove_at(slot.place().work_tree, path);
    log_warn("removed " + printable(path) + " in " + slot.place().work_tree +
             ": it was no file, and git would have waited for it without end");
  }
}

}  // namespace wtpool::git
