#include "daemon/git/tree/following.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "common/base/failpoint.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/checked_out.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/source/changes.hpp"
#include "daemon/git/tree/blocking_files.hpp"
#include "daemon/git/tree/status.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

struct Operation {
  const char* file;  // in the worktree's git directory
  const char* name;
};
constexpr Operation kOperations[] = {
    {"MERGE_HEAD", "merge"},   {"rebase-merge", "rebase"},   {"rebase-apply", "rebase"}, {"CHERRY_PICK_HEAD", "cherry-pick"},
    {"REVERT_HEAD", "revert"}, {"sequencer", "cherry-pick"}, {"BISECT_LOG", "bisect"},
};

Command reading(const Git& checkout, std::vector<std::string> arguments) {
  Command command;
  command.directory = checkout.place().work_tree;  // git takes paths from there
  command.arguments = std::move(arguments);
  command.may_filter = true;
  command.output_limit = kWholeTree;
  return command;
}

std::set<std::string> names(const Git& checkout, std::vector<std::string> arguments) {
  std::set<std::string> found;
  for (std::string& path : split(checkout.must(reading(checkout, std::move(arguments))), '\0')) found.insert(std::move(path));
  return found;
}

// git takes a file whose times the index does not know for changed.
void refresh(const Git& checkout) {
  Command command = reading(checkout, {"update-index", "-q", "--refresh"});
  (void)checkout.run(command);  // 1: something is changed
}

std::string why_not_now(const Git& checkout, const std::string& branch) {
  const fs::path dir = checkout.place().git_dir;
  const std::string where = printable(checkout.place().work_tree);
  if (!is_directory_no_follow(checkout.place().work_tree)) return "its directory " + where + " is not there";
  for (const Operation& operation : kOperations)
    if (lstat_of(dir / operation.file)) return std::string("a ") + operation.name + " is half done in " + where;
  if (!holds_head(dir.string(), branch)) return "HEAD of " + where + " is not on " + printable(branch) + " any more";
  if (lstat_of(dir / "index.lock"))
    return "the index of " + where + " is locked: index.lock stands in " + printable(dir.string());
  if (const auto blocking = blocking_files_of(checkout); !blocking.empty())
    return "git cannot look at " + where + ": " + printable(blocking.front()) + " is no file";
  if (!names(checkout, {"ls-files", "--unmerged", "-z"}).empty()) return "the index of " + where + " has unmerged files";
  return {};
}

// Which of the files in the way git ignores.
std::set<std::string> ignored_of(const Git& checkout, const std::vector<std::string>& paths) {
  if (paths.empty()) return {};
  Command ask = reading(checkout, {"check-ignore", "-z", "--stdin", "--no-index"});
  for (const std::string& path : paths) ask.input += path + '\0';
  const ChildResult result = checkout.run(ask);  // 1: none
  if (result.exit_code > 1) (void)checkout.must(ask);
  std::set<std::string> found;
  for (std::string& path : split(result.output, '\0')) found.insert(std::move(path));
  return found;
}

}  // namespace

std::vector<Checkout> checkouts_of(const std::string& common_dir, const std::optional<std::string>& worktree,
                                   const std::string& branch) {
  std::vector<Checkout> found;
  if (worktree && holds_branch(common_dir, branch)) found.push_back({common_dir, *worktree, {}});
  for (const Entry& entry : list_entries(common_dir)) {
    const std::string dir = common_dir + "/worktrees/" + entry.git_id;
    if (holds_branch(dir, branch)) found.push_back({dir, entry.worktree, entry.git_id});
  }
  return found;
}

bool holds_head(const std::string& git_dir, const std::string& branch) {
  return trimmed(read_file(fs::path(git_dir) / "HEAD").value_or("")) == "ref: refs/heads/" + branch;
}

MayFollow may_follow(const Git& checkout, const std::string& branch, const Oid& before, const Oid& after) {
  MayFollow may;
  may.blocked = why_not_now(checkout, branch);
  if (!may.blocked.empty()) return may;
  const std::string where = printable(checkout.place().work_tree);
  refresh(checkout);
  const std::vector<Change> changes = changes_between(checkout, before, after);
  std::set<std::string> in_the_way;
  if (!changes.empty()) {
    std::set<std::string> changed = names(checkout, {"diff-files", "--name-only", "-z", "--ignore-submodules=dirty", "--"});
    changed.merge(names(checkout, {"diff-index", "--cached", "--name-only", "-z", "--no-renames", "--ignore-submodules=dirty",
                                   before.str(), "--"}));
    for (const Change& change : changes)
      if (changed.contains(change.path)) in_the_way.insert(change.path);
    std::vector<std::string> untracked;
    for (std::string& path : git::in_the_way(checkout.place().work_tree, paths_added(checkout, before, after)))
      if (!in_the_way.contains(path)) untracked.push_back(std::move(path));
    const auto ignored = ignored_of(checkout, untracked);
    for (std::string& path : untracked) {
      if (ignored.contains(path)) {
        may.ignored.push_back(std::move(path));
      } else {
        in_the_way.insert(std::move(path));
      }
    }
  }
  may.in_the_way.assign(in_the_way.begin(), in_the_way.end());
  if (!may.in_the_way.empty()) {
    may.blocked = "changes in " + where + " are in the way";
    return may;
  }
  // git has the last word: it knows cases that no list does.
  const ChildResult dry = checkout.run(reading(checkout, {"read-tree", "-n", "-m", "-u", before.str(), after.str()}));
  if (!dry.ok()) may.blocked = "git would not bring " + where + " to the new commit: " + printable(trimmed(dry.error_tail));
  return may;
}

void follow(const Git& checkout, const Oid& before, const Oid& after) {
  Command update = reading(checkout, {"read-tree", "-m", "-u", before.str(), after.str()});
  update.durable = true;
  update.limit = std::chrono::hours(2);
  checkout.must(update);
}

}  // namespace wtpool::git
