#include "daemon/git/tree/shown.hpp"

#include <sys/stat.h>

#include <set>

#include "common/files/files.hpp"

namespace wtpool::git {

std::vector<bool> ignored(const Git& tree, const std::vector<std::string>& paths) {
  Command ask;
  ask.arguments = {"check-ignore", "--no-index", "--stdin", "-z"};
  ask.task = "tell what git ignores";
  ask.directory = tree.place().work_tree;
  ask.output_limit = kWholeTree;
  // git takes a name that begins with ':' for a pathspec.
  for (const std::string& path : paths) ask.input += "./" + path + '\0';
  const ChildResult result = tree.run(ask);
  if (result.exit_code > 1) {
    proto::Error error(proto::ErrorKind::git_failed, "cannot tell what git ignores in " + tree.place().work_tree);
    error.git = proto::GitDetails{ask.arguments, result.exit_code, result.error_tail};
    throw error;
  }
  std::set<std::string, std::less<>> found;
  for (std::size_t start = 0; start < result.output.size();) {
    const std::size_t end = std::min(result.output.find('\0', start), result.output.size());
    found.insert(result.output.substr(start, end - start));
    start = end + 1;
  }
  std::vector<bool> answers;
  answers.reserve(paths.size());
  for (const std::string& path : paths) answers.push_back(found.contains("./" + path));
  return answers;
}

std::vector<bool> ignored_in_any(const Git& tree, const std::vector<std::string>& paths) {
  const std::filesystem::path top = tree.place().work_tree;
  std::map<std::string, bool> known;
  const auto repository_of = [&](const std::string& path) {
    std::string innermost;
    for (std::size_t slash = path.find('/'); slash != std::string::npos && slash + 1 < path.size();
         slash = path.find('/', slash + 1)) {
      const std::string directory = path.substr(0, slash);
      const auto [entry, is_new] = known.try_emplace(directory, false);
      if (is_new) entry->second = lstat_of(top / directory / ".git").has_value();
      if (entry->second) innermost = directory;
    }
    return innermost;
  };
  std::map<std::string, std::vector<std::size_t>> by_repository;
  for (std::size_t i = 0; i < paths.size(); ++i) by_repository[repository_of(paths[i])].push_back(i);
  std::vector<bool> answers(paths.size(), false);
  for (const auto& [repository, places] : by_repository) {
    std::vector<std::string> asked;
    for (const std::size_t i : places) asked.push_back(repository.empty() ? paths[i] : paths[i].substr(repository.size() + 1));
    const std::string at = (top / repository).string();
    const Git git = repository.empty() ? tree : tree.with_place({at + "/.git", at});
    const std::vector<bool> here = ignored(git, asked);
    for (std::size_t i = 0; i < places.size(); ++i) answers[places[i]] = here[i];
  }
  return answers;
}

}  // namespace wtpool::git
