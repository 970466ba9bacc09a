#include "daemon/git/tree/nested_repositories.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <system_error>

#include "common/files/files.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

// What is in a directory that may not be searched cannot be told, and cannot be removed by us either.
bool has_dot_git(const fs::path& directory) {
  struct ::stat stat {};
  const fs::path path = directory / ".git";
  if (::lstat(path.c_str(), &stat) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) return false;
  throw io_error("cannot look at", path, errno);
}

bool has_tracked_files(const Git& slot, const std::string& directory) {
  Command list;
  list.arguments = {"ls-files", "-z", "--", ":(top,literal)" + directory + "/"};
  list.output_limit = kWholeTree;
  return !slot.must(list).empty();
}

// Whoever is still at work in there may take it away meanwhile.
bool is_gone(const std::error_code& why) {
  return why == std::errc::no_such_file_or_directory || why == std::errc::not_a_directory;
}

void add_below(const fs::path& work_tree, const std::string& directory, std::vector<std::string>& found) {
  const fs::path at = work_tree / directory;
  if (has_dot_git(at)) return found.push_back(directory);
  std::vector<std::string> below;  // so that no more than one directory is open at a time
  std::error_code failed;
  for (fs::directory_iterator it(at, fs::directory_options::skip_permission_denied, failed), end; !failed && it != end;) {
    if (it->symlink_status(failed).type() == fs::file_type::directory)
      below.push_back(directory + "/" + it->path().filename().string());
    if (!failed || is_gone(failed) || failed == std::errc::permission_denied) it.increment(failed);
  }
  if (failed && !is_gone(failed)) throw io_error("cannot read", at, failed.value());
  for (const std::string& child : below) add_below(work_tree, child, found);
}

}  // namespace

std::vector<std::string> repositories_above(const Git& slot, const std::vector<std::string>& untracked) {
  const fs::path work_tree = slot.place().work_tree;
  std::set<std::string> found;
  std::map<std::string, bool> known;
  std::string last;  // git lists the files of a directory behind one another
  for (const std::string& path : untracked) {
    const std::size_t end = path.rfind('/');
    if (end == std::string::npos || path.compare(0, end, last) == 0) continue;
    last = path.substr(0, end);
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const std::string directory = path.substr(0, slash);
      const auto [entry, is_new] = known.try_emplace(directory, false);
      if (is_new) entry->second = has_dot_git(work_tree / directory) && !has_tracked_files(slot, directory);
      if (!entry->second) continue;
      found.insert(directory);
      break;
    }
  }
  return {found.begin(), found.end()};
}

std::vector<std::string> repositories_below(const fs::path& work_tree, const std::string& directory) {
  std::vector<std::string> found;
  if (is_directory_no_follow(work_tree / directory)) add_below(work_tree, directory, found);
  std::sort(found.begin(), found.end());
  return found;
}

bool is_in_one_of(const std::vector<std::string>& directories, const std::string& path) {
  if (directories.empty()) return false;
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (std::binary_search(directories.begin(), directories.end(), path.substr(0, slash))) return true;
  }
  return std::binary_search(directories.begin(), directories.end(), path);
}

}  // namespace wtpool::git
