#include "daemon/git/tree/status.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/source/changes.hpp"
#include "daemon/git/tree/blocking_files.hpp"
#include "daemon/git/tree/nested_repositories.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

// What follows the n-th space: porcelain records are space-separated fields and then a path that may hold anything but NUL.
std::string after_fields(const std::string& record, int count) {
  std::size_t at = 0;
  for (int i = 0; i < count; ++i) {
    at = record.find(' ', at);
    if (at == std::string::npos) return {};
    ++at;
  }
  return record.substr(at);
}

// "(detached)" is how status says that HEAD is no branch, and also a name that a branch may have.
bool attached_to_branch_called_detached(const Git& slot) {
  return trimmed(read_file(fs::path(slot.place().git_dir) / "HEAD").value_or("")) == "ref: refs/heads/(detached)";
}

bool holds_anything(const fs::path& directory) {
  std::error_code failed;
  for (fs::directory_iterator it(directory, failed), end; !failed && it != end; it.increment(failed)) {
    if (!is_directory_no_follow(it->path()) || it->path().filename() == ".git" || holds_anything(it->path())) return true;
  }
  return static_cast<bool>(failed);
}

bool below_one_of(const std::string& path, const std::set<std::string>& files) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (files.contains(path.substr(0, slash))) return true;
  }
  return false;
}

void settle_blocking_files(const Git& slot, const std::vector<std::string>& paths, bool owner) {
  if (owner) return remove_blocking_files(slot, paths);
  if (paths.empty()) return;
  const std::string file = slot.place().work_tree + "/" + paths.front();
  throw proto::Error(proto::ErrorKind::git_failed,
                     "git cannot look at the tree: " + printable(file) + " is no file, and git would wait for it without end",
                     "rm " + proto::shell_word(file));
}

// A file that git cannot read counts for unchanged, with a word about it on stderr and an exit code of 0. What it says of
// directories that nobody tracks, or of files that are not in the slot, hides no change of a tracked file.
bool hides_nothing(const std::string& line) {
  for (const char* harmless : {"warning: could not open directory ", "hint: "})
    if (line.starts_with(harmless)) return true;
  return line.empty();
}

std::string without_complaint(const Git& slot, const Command& command) {
  std::string said;
  std::string output = slot.must(command, &said);
  // The first line of a long text may be half a line.
  constexpr std::size_t kNearlyAll = 4000;
  bool may_be_cut = said.size() > kNearlyAll;
  for (const std::string& line : split(said, '\n')) {
    if (std::exchange(may_be_cut, false) || hides_nothing(line)) continue;
    proto::Error error(proto::ErrorKind::git_failed,
                       "git could not look at all of " + printable(slot.place().work_tree) + ": " + printable(line));
    std::vector<std::string> argv = {"git"};
    argv.insert(argv.end(), command.arguments.begin(), command.arguments.end());
    error.git = proto::GitDetails{std::move(argv), 0, said};
    throw error;
  }
  return output;
}

// What stands in directories that git does not track is known only when git has been there: it is looked for when git does
// not come back.
std::string patient_status(const Git& slot, Command command, bool owner, std::chrono::seconds patience) {
  settle_blocking_files(slot, blocking_files_of(slot), owner);
  const auto limit = std::exchange(command.limit, patience);
  try {
    return without_complaint(slot, command);
  } catch (const proto::Error& error) {
    if (error.kind != proto::ErrorKind::git_timeout) throw;
  }
  settle_blocking_files(slot, blocking_files_below(slot.place().work_tree), owner);
  command.limit = limit;
  return without_complaint(slot, command);
}

// What stands beside files that are saved before they are removed: git reads attributes for them.
// And beside files that were deleted, with all else in their directories: it reads them before it writes such a file again.
std::vector<std::string> blocking_files_beside(const Git& slot, const TreeLook& look) {
  const fs::path work_tree = slot.place().work_tree;
  std::set<std::string> directories;
  for (const auto* paths : {&look.untracked, &look.changed}) {
    for (const std::string& path : *paths) {
      for (std::size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0; slash = path.rfind('/', slash - 1)) {
        if (!directories.insert(path.substr(0, slash)).second) break;
      }
    }
  }
  std::vector<std::string> found = blocking_files_in(work_tree, directories);
  for (const std::string& path : look.changed) {
    // A directory where a file was: what is ignored in there is saved as well.
    const std::vector<std::string> below = blocking_files_below(work_tree, path);
    found.insert(found.end(), below.begin(), below.end());
  }
  return found;
}

TreeLook read_status(const Git& slot, const std::string& output) {
  TreeLook result;
  bool whole = false;
  const std::vector<std::string> records = split(output, '\0');
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::string& record = records[i];
    if (record.starts_with("# branch.oid ")) {
      whole = true;
      result.head = oid_from(std::string_view(record).substr(13));
    } else if (record.starts_with("# branch.head ")) {
      const std::string name = record.substr(14);
      if (name != "(detached)" || attached_to_branch_called_detached(slot)) result.branch = name;
    } else if (record.starts_with("1 ")) {
      result.changed.push_back(after_fields(record, 8));
    } else if (record.starts_with("u ")) {
      result.changed.push_back(after_fields(record, 10));
    } else if (record.starts_with("2 ")) {
      result.changed.push_back(after_fields(record, 9));
      if (i + 1 < records.size()) result.changed.push_back(records[++i]);
    } else if (record.starts_with("? ")) {
      std::string path = record.substr(2);
      if (path.ends_with('/')) {
        path.pop_back();
        result.nested.push_back(std::move(path));
      } else {
        result.untracked.push_back(std::move(path));
      }
    }
  }
  // It is always said; without it, silence would pass for a clean tree.
  if (!whole) throw proto::Error(proto::ErrorKind::git_failed, "git status said nothing of " + slot.place().work_tree);
  return result;
}

}  // namespace

TreeLook look(const Git& slot, Untracked untracked, bool write_index, std::chrono::seconds patience) {
  Command command;
  if (!write_index) command.arguments.emplace_back("--no-optional-locks");
  // A submodule at another commit is a change; what is going on inside it is not asked here, since that would run git in it.
  command.arguments.insert(
      command.arguments.end(),
      {"status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--no-ahead-behind", "--ignore-submodules=dirty",
       "--ignored=no", untracked == Untracked::all ? "--untracked-files=all" : "--untracked-files=no"});
  command.durable = write_index;
  command.may_filter = true;
  TreeLook result = read_status(slot, patient_status(slot, std::move(command), write_index, patience));
  const auto repositories = repositories_above(slot, result.untracked);
  std::erase_if(result.untracked, [&](const std::string& path) { return is_in_one_of(repositories, path); });
  result.nested.insert(result.nested.end(), repositories.begin(), repositories.end());
  if (write_index) remove_blocking_files(slot, blocking_files_beside(slot, result));
  return result;
}

std::vector<std::string> paths_added(const Git& slot, const Oid& from, const Oid& to) {
  const std::vector<Change> changes = changes_between(slot, from, to);
  std::set<std::string> files_gone;        // tracked files of `from` that go: nothing untracked can be below one
  std::set<std::string> directories_gone;  // leading directories of what goes
  for (const Change& change : changes) {
    if (change.old_mode == kNothing || change.new_mode != kNothing) continue;
    if (change.old_mode != kSubmodule) files_gone.insert(change.path);
    for (std::size_t slash = change.path.find('/'); slash != std::string::npos; slash = change.path.find('/', slash + 1)) {
      directories_gone.insert(change.path.substr(0, slash));
    }
  }
  std::vector<std::string> added;
  std::string replaced;  // tracked directories that become one file
  for (const Change& change : changes) {
    const bool was_submodule = change.old_mode == kSubmodule && change.new_mode != kSubmodule;
    if (change.new_mode == kNothing || (change.old_mode != kNothing && !was_submodule)) continue;
    if (directories_gone.contains(change.path)) {
      replaced += ":(top,literal)" + change.path + '\0';
    } else if (!below_one_of(change.path, files_gone)) {
      added.push_back(change.path);
    }
  }
  if (!replaced.empty()) {
    // The tracked files in there go by themselves; in the way is only what is not tracked, ignored or not.
    Command list;
    list.arguments = {"ls-files", "--others", "-z", "--"};
    list.output_limit = kWholeTree;
    for (const std::string& pathspec : split(replaced, '\0')) list.arguments.push_back(pathspec);
    for (std::string path : split(slot.must(list), '\0')) {
      if (path.ends_with('/')) path.pop_back();
      added.push_back(std::move(path));
    }
  }
  return added;
}

std::optional<std::string> in_its_way(const std::string& work_tree, const std::string& path, std::set<std::string>* passed) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string leading = path.substr(0, slash);
    const auto stat = lstat_of(fs::path(work_tree) / leading);
    if (!stat) return std::nullopt;
    if (!S_ISDIR(stat->st_mode)) return leading;
    if (passed != nullptr) passed->insert(leading);
  }
  const fs::path whole = fs::path(work_tree) / path;
  const auto stat = lstat_of(whole);
  // git itself takes away directories in which nothing is.
  if (!stat || (S_ISDIR(stat->st_mode) && !holds_anything(whole))) return std::nullopt;
  return path;
}

std::vector<std::string> in_the_way(const std::string& work_tree, const std::vector<std::string>& paths) {
  std::set<std::string> found;
  if (paths.empty()) return {};
  std::set<std::string> passed{""};
  for (const std::string& path : paths) {
    if (const auto one = in_its_way(work_tree, path, &passed)) found.insert(*one);
  }
  // git reads the attributes of what it writes, also where it had nothing before.
  for (std::string& path : blocking_files_in(work_tree, passed)) found.insert(std::move(path));
  return {found.begin(), found.end()};
}

Trodden trodden_by_reset(const Git& slot, const TreeLook& look, const Oid& to, Untracked which) {
  Trodden trodden;
  if (look.changed.empty() && look.head == to) return trodden;
  const fs::path work_tree = slot.place().work_tree;
  const std::set<std::string> changed(look.changed.begin(), look.changed.end());
  // A directory where a file was: all in it goes, what is ignored too; a repository, if it has commits, is not even listed.
  Command inside;
  inside.arguments = {"ls-files", "--others", "-z", "--"};
  inside.output_limit = kWholeTree;
  const std::size_t no_paths = inside.arguments.size();
  std::vector<std::string> repositories = look.nested;
  for (const std::string& path : changed) {
    if (!is_directory_no_follow(work_tree / path)) continue;
    const auto below = repositories_below(work_tree, path);
    repositories.insert(repositories.end(), below.begin(), below.end());
    if (below != std::vector{path}) inside.arguments.push_back(":(top,literal)" + path);
  }
  std::sort(repositories.begin(), repositories.end());
  std::vector<std::string> untracked;
  if (which == Untracked::all) untracked = look.untracked;
  if (which == Untracked::all && inside.arguments.size() > no_paths) {
    for (std::string& path : split(slot.must(inside), '\0')) {
      if (!path.ends_with('/') && !is_in_one_of(repositories, path)) untracked.push_back(std::move(path));
    }
  }
  if (untracked.empty() && repositories.empty()) return trodden;

  Command list;
  list.arguments = {"ls-tree", "-r", "-z", "--full-tree", to.str()};
  list.output_limit = kWholeTree;
  std::set<std::string> files;
  std::set<std::string> submodules;
  for (const std::string& line : split(slot.must(list), '\0')) {
    // <mode> <type> <oid>\t<path>
    auto& kind = line.starts_with(kSubmodule) ? submodules : files;
    kind.insert(line.substr(std::min(line.find('\t'), line.size() - 1) + 1));
  }
  const auto has_below = [](const std::set<std::string>& paths, const std::string& path) {
    const auto next = paths.lower_bound(path + "/");
    return next != paths.end() && next->starts_with(path + "/");
  };
  const auto in_its_place = [&](const std::string& path) {
    if (files.contains(path) || below_one_of(path, files) || has_below(files, path)) return true;
    // Where a submodule belongs, or a directory that leads to one, a directory stays as it is, and nothing else.
    return (submodules.contains(path) || has_below(submodules, path)) && !is_directory_no_follow(work_tree / path);
  };
  const auto collect = [&](const std::vector<std::string>& paths, bool skip_changed, std::vector<std::string>& into) {
    for (const std::string& path : std::set<std::string>(paths.begin(), paths.end())) {
      if (!(skip_changed && changed.contains(path)) && in_its_place(path)) into.push_back(path);
    }
  };
  collect(untracked, true, trodden.files);
  collect(repositories, false, trodden.repositories);
  return trodden;
}

}  // namespace wtpool::git
