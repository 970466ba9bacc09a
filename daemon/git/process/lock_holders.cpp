#include "daemon/git/process/lock_holders.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/files/files.hpp"
#include "common/platform/open_files.hpp"
#include "common/platform/process.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/process/helpers.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kClocksApart = 2;  // seconds: when a process started is known less well than when a file was written

// What people leave running for hours, in a pager say, and what git itself does.
constexpr std::array<std::string_view, 27> kOnlyReads = {"annotate",
                                                         "blame",
                                                         "cat-file",
                                                         "credential",
                                                         "credential-cache--daemon",
                                                         "daemon",
                                                         "diff",
                                                         "diff-files",
                                                         "diff-index",
                                                         "diff-tree",
                                                         "difftool",
                                                         "for-each-ref",
                                                         "grep",
                                                         "help",
                                                         "log",
                                                         "ls-files",
                                                         "ls-remote",
                                                         "ls-tree",
                                                         "rev-list",
                                                         "rev-parse",
                                                         "shortlog",
                                                         "show",
                                                         "show-ref",
                                                         "status",
                                                         "upload-pack",
                                                         "whatchanged",
                                                         "fsmonitor--daemon"};

std::vector<fs::path> places_of(const std::string& common_dir) {
  std::vector<fs::path> places = {common_dir};
  if (fs::path(common_dir).filename() == ".git") places.push_back(fs::path(common_dir).parent_path());
  for (const auto& entry : list_entries(common_dir))
    if (!entry.worktree.empty()) places.emplace_back(entry.worktree);
  return places;
}

}  // namespace

bool may_hold_locks(const std::vector<std::string>& arguments) {
  for (std::size_t at = 1; at < arguments.size(); ++at) {
    const std::string& word = arguments[at];
    if (word == "-C" || word == "-c" || word == "--git-dir" || word == "--work-tree" || word == "--namespace") {
      ++at;
    } else if (!word.starts_with('-')) {
      return std::find(kOnlyReads.begin(), kOnlyReads.end(), word) == kOnlyReads.end();
    }
  }
  return true;
}

std::optional<std::vector<std::int64_t>> holders_of(const fs::path& lock, std::int64_t made, const std::string& common_dir) {
  auto holders = openers_of(lock);
  const auto gits = platform::processes_at_work("git", places_of(common_dir), common_dir);
  if (!holders || !gits) return std::nullopt;
  for (const auto& git : *gits) {
    if (git.started > made + kClocksApart || !may_hold_locks(git.arguments) || is_idle_helper(git.pid)) continue;
    if (std::find(holders->begin(), holders->end(), git.pid) == holders->end()) holders->push_back(git.pid);
  }
  return holders;
}

std::optional<std::vector<std::int64_t>> holders_of(const fs::path& lock, const std::string& common_dir) {
  const auto stat = lstat_of(lock);
  if (!stat) return std::vector<std::int64_t>{};
  return holders_of(lock, static_cast<std::int64_t>(stat->st_mtime), common_dir);
}

}  // namespace wtpool::git
