#include "daemon/git/submodule/state.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/files/files.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/index_file.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/source/changes.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kGitdir = "gitdir: ";
constexpr off_t kMaxGitfile = 64 * 1024;

std::string below(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

bool may_be_read(const fs::path& directory) {
  return ::access(directory.c_str(), R_OK | X_OK) == 0 || errno == ENOENT || errno == ENOTDIR;
}

// What may not be read must not pass for empty.
std::vector<fs::path> children_or_fail(const fs::path& directory) {
  std::vector<fs::path> found = children_of(directory);
  if (found.empty() && !may_be_read(directory)) throw io_error("cannot look into", directory, errno);
  return found;
}

std::optional<fs::path> led_to_by(const fs::path& gitfile) {
  const auto text = read_file(gitfile);
  if (!text || !text->starts_with(kGitdir)) return std::nullopt;
  return real_path(gitfile.parent_path() / trimmed(text->substr(kGitdir.size())));
}

bool is_below(const fs::path& path, const fs::path& directory) { return path.string().starts_with(directory.string() + "/"); }

// Where git may be asked about it: the tree's own modules/, or the directory itself.
std::optional<fs::path> repository_of(const Git& tree, const std::string& path) {
  const fs::path gitfile = fs::path(tree.place().work_tree) / path / ".git";
  if (is_directory_no_follow(gitfile)) return gitfile;
  const auto own = own_repository(tree, path);
  return own ? std::optional(fs::path(tree.place().git_dir) / *own) : std::nullopt;
}

struct Status {
  std::optional<Oid> head;
  bool changed = false;
};

// What its configuration may name is not to run: filters are switched off, and a promisor is not asked for objects.
Status status_of(const Git& submodule) {
  Command command;
  command.arguments = {"--no-optional-locks",
                       "status",
                       "--porcelain=v2",
                       "--branch",
                       "-z",
                       "--no-renames",
                       "--no-ahead-behind",
                       "--ignore-submodules=dirty",
                       "--ignored=no",
                       "--untracked-files=all"};
  command.environment = {{"GIT_ALLOW_PROTOCOL", "none"}, {"GIT_NO_LAZY_FETCH", "1"}};
  command.directory = submodule.place().work_tree;
  command.may_filter = true;
  command.limit = std::chrono::seconds(60);
  Status status;
  for (const std::string& record : split(submodule.must(command), '\0')) {
    if (record.starts_with("# branch.oid ")) status.head = oid_from(std::string_view(record).substr(13));
    status.changed = status.changed || !record.starts_with("# ");
  }
  return status;
}

std::vector<std::string> files_in(const Git& tree, const std::string& path) {
  std::vector<std::string> files;
  std::vector<std::string> open{path};
  while (!open.empty()) {
    const std::string at = std::move(open.back());
    open.pop_back();
    const fs::path directory = fs::path(tree.place().work_tree) / at;
    if (!may_be_read(directory)) files.push_back(at);
    for (const fs::path& child : children_of(directory))
      (is_directory_no_follow(child) ? open : files).push_back(below(at, child.filename().string()));
  }
  return files;
}

bool is_filled(const Git& tree, const Submodule& submodule) {
  return lstat_of(fs::path(tree.place().work_tree) / submodule.path / ".git").has_value();
}

// Its configuration is its owner's, who may change it at any moment.
Git git_in(const Git& tree, const fs::path& repository, const std::string& path) {
  Context context = tree.context();
  context.allowed_filters.clear();
  context.helpers.reset();
  context.remember_filters = false;
  return Git({repository.string(), (fs::path(tree.place().work_tree) / path).string()}, std::move(context));
}

// `at`: where its HEAD is to stand, if that is asked.
bool is_touched(const Git& tree, const std::string& path, const std::optional<Oid>& at) {
  const auto repository = repository_of(tree, path);
  if (!repository || !is_directory_no_follow(*repository) || may_hide_changes(*repository / "index")) return true;
  if (lstat_of(*repository / "commondir")) return true;  // its configuration stands where nobody looks for it
  const Git submodule = git_in(tree, *repository, path);
  try {
    const Status status = status_of(submodule);
    if (status.changed || !status.head || (at && *status.head != *at)) return true;
    const SubmoduleLook inside = look_at_submodules(submodule);
    return !inside.touched.empty() || !inside.files.empty();
  } catch (const proto::Error& error) {
    if (error.kind != proto::ErrorKind::git_failed && error.kind != proto::ErrorKind::git_timeout) throw;
    return true;
  }
}

// An empty .git is nobody's work.
bool is_repository(const fs::path& git) {
  const auto stat = lstat_of(git);
  if (!stat || S_ISLNK(stat->st_mode)) return stat.has_value();
  if (S_ISREG(stat->st_mode)) return stat->st_size > 0;
  return S_ISDIR(stat->st_mode) && !children_or_fail(git).empty();
}

}  // namespace

bool may_have_submodules(const Git& tree) {
  return lstat_of(fs::path(tree.place().work_tree) / ".gitmodules") || holds_repositories(tree.place().git_dir);
}

std::vector<Submodule> submodules_of(const Git& tree) {
  Command list;
  list.arguments = {"ls-files", "--stage", "-z"};
  list.directory = tree.place().work_tree;
  list.output_limit = kWholeTree;
  const std::string index = tree.must(list);
  std::vector<Submodule> found;
  for (std::size_t at = 0, end; (end = index.find('\0', at)) != std::string::npos; at = end + 1) {
    if (!std::string_view(index).substr(at).starts_with(kSubmodule)) continue;
    const std::string line = index.substr(at, end - at);  // <mode> <oid> <stage>\t<path>
    const std::size_t tab = line.find('\t');
    const std::size_t space = line.find(' ', 7);
    if (tab == std::string::npos || space == std::string::npos) continue;
    const std::string path = line.substr(tab + 1);
    if (found.empty() || found.back().path != path) found.push_back({path, Oid(line.substr(7, space - 7))});
  }
  return found;
}

Filling filling_of(const Git& tree, const Submodule& submodule) {
  const fs::path directory = fs::path(tree.place().work_tree) / submodule.path;
  if (!is_directory_no_follow(directory)) return Filling::none;  // a change that status tells of
  if (is_filled(tree, submodule)) return is_touched(tree, submodule.path, submodule.at) ? Filling::touched : Filling::untouched;
  return files_in(tree, submodule.path).empty() ? Filling::none : Filling::files;
}

bool has_changes(const Git& tree, const std::string& path) { return is_touched(tree, path, std::nullopt); }

bool is_ignored_copy(const Git& tree, const std::string& path) {
  Command ignored;
  ignored.arguments = {"check-ignore", "-q", "--", path};
  ignored.directory = tree.place().work_tree;
  const auto repository = repository_of(tree, path);
  if (!repository || !tree.run(ignored).ok() || is_touched(tree, path, std::nullopt)) return false;
  Command own;
  own.arguments = {"rev-list", "--max-count=1", "HEAD", "--all", "--reflog", "--not", "--remotes", "--tags", "--"};
  own.environment = {{"GIT_ALLOW_PROTOCOL", "none"}, {"GIT_NO_LAZY_FETCH", "1"}};
  own.limit = std::chrono::seconds(60);
  try {
    const ChildResult found = git_in(tree, *repository, path).run(own);
    return found.ok() && found.output.empty();
  } catch (const proto::Error& error) {
    if (error.kind != proto::ErrorKind::git_failed && error.kind != proto::ErrorKind::git_timeout) throw;
    return false;
  }
}

std::optional<std::string> own_repository(const Git& tree, const std::string& path) {
  const fs::path gitfile = fs::path(tree.place().work_tree) / path / ".git";
  const auto stat = lstat_of(gitfile);
  if (!stat || !S_ISREG(stat->st_mode) || stat->st_size > kMaxGitfile) return std::nullopt;
  const auto target = led_to_by(gitfile);
  const fs::path entry = real_path(tree.place().git_dir);
  if (!target || !is_below(*target, entry / "modules")) return std::nullopt;
  return target->string().substr(entry.string().size() + 1);
}

std::vector<std::string> files_in_unfilled(const Git& tree) {
  std::vector<std::string> files;
  if (!may_have_submodules(tree)) return files;
  for (const Submodule& submodule : submodules_of(tree)) {
    if (is_filled(tree, submodule) || !is_directory_no_follow(fs::path(tree.place().work_tree) / submodule.path)) continue;
    const auto found = files_in(tree, submodule.path);
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

SubmoduleLook look_at_submodules(const Git& tree) {
  SubmoduleLook look;
  if (!may_have_submodules(tree)) return look;
  for (const Submodule& submodule : submodules_of(tree)) {
    const Filling filling = filling_of(tree, submodule);
    if (filling == Filling::touched) look.touched.push_back(submodule.path);
    if (filling != Filling::files) continue;
    const auto files = files_in(tree, submodule.path);
    look.files.insert(look.files.end(), files.begin(), files.end());
  }
  return look;
}

std::vector<std::string> repositories_in(const fs::path& work_tree) {
  std::vector<std::string> found;
  std::vector<std::string> open{""};
  while (!open.empty()) {
    const std::string at = std::move(open.back());
    open.pop_back();
    for (const fs::path& child : children_or_fail(work_tree / at)) {
      const std::string name = child.filename().string();
      if (name != ".git") {
        if (is_directory_no_follow(child)) open.push_back(below(at, name));
      } else if (!at.empty() && is_repository(child)) {
        found.push_back(at);
      }
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace wtpool::git
