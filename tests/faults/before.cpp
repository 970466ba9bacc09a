#include "tests/faults/before.hpp"

namespace wtpool::test {
namespace {

std::map<std::string, std::string> refs_of(const Repo& source) {
  std::map<std::string, std::string> refs;
  for (const auto& line : lines_of(source.git({"for-each-ref", "--format=%(refname) %(objectname)"}))) {
    const auto space = line.find(' ');
    refs[line.substr(0, space)] = line.substr(space + 1);
  }
  return refs;
}

std::map<std::string, std::string> files_of(const Repo& source) {
  std::map<std::string, std::string> files;
  const auto dir = source.common_dir();
  for (const auto* name : {"config", "HEAD", "info/exclude", "info/attributes", "description", "shallow"}) {
    files[name] = fs::exists(dir / name) ? read_text(dir / name) : "(not there)";
  }
  if (fs::exists(dir / "hooks")) {
    for (const auto& hook : fs::directory_iterator(dir / "hooks"))
      files["hooks/" + hook.path().filename().string()] = read_text(hook.path());
  }
  return files;
}

void compare(const std::string& what, const std::map<std::string, std::string>& then,
             const std::map<std::string, std::string>& now, std::vector<std::string>& differences) {
  for (const auto& [key, value] : then) {
    const auto found = now.find(key);
    if (found == now.end())
      differences.push_back(what + " " + key + " is gone");
    else if (found->second != value)
      differences.push_back(what + " " + key + " was\n" + value + "\nand is\n" + found->second);
  }
  for (const auto& [key, value] : now)
    if (!then.contains(key)) differences.push_back(what + " " + key + " is new: " + value);
}

bool is_bare(const Repo& source) { return source.git({"rev-parse", "--is-bare-repository"}) == "true"; }

}  // namespace

std::map<std::string, std::string> worktrees_of(const Repo& source) {
  std::map<std::string, std::string> worktrees;
  std::string path;
  for (const auto& line : lines_of(source.git({"worktree", "list", "--porcelain"}))) {
    if (line.starts_with("worktree ")) path = line.substr(9);
    if (!path.empty() && !line.empty()) worktrees[path] += line + "\n";
  }
  return worktrees;
}

Before Before::of(const Repo& source) {
  Before before;
  before.refs_ = refs_of(source);
  before.files_ = files_of(source);
  before.worktrees_ = worktrees_of(source);
  if (!is_bare(source)) {
    before.index_ = source.git({"ls-files", "--stage", "-v"});
    before.stash_ = source.git({"stash", "list"});
    before.status_ = source.git({"status", "--porcelain"});
  }
  return before;
}

std::vector<std::string> Before::differences(const Repo& source, const Branches& branches, const fs::path& pool) const {
  std::vector<std::string> found;
  const auto now = refs_of(source);
  const auto judged = [&](std::map<std::string, std::string> refs) {
    std::erase_if(refs, [&](const auto& ref) {
      return ref.first.starts_with("refs/wtpool/") || ref.first.starts_with("refs/remotes/") ||
             (ref.first.starts_with("refs/heads/") &&
              (asked_for_.contains(ref.first.substr(11)) || branches.leased.contains(ref.first.substr(11)) ||
               (branches.given_back.contains(ref.first.substr(11)) && !now.contains(ref.first))));
    });
    return refs;
  };
  compare("ref", judged(refs_), judged(now), found);
  compare("file", files_, files_of(source), found);
  const auto others = [&](std::map<std::string, std::string> worktrees) {
    std::erase_if(worktrees, [&](const auto& worktree) { return worktree.first.starts_with(pool.string() + "/"); });
    return worktrees;
  };
  compare("worktree", others(worktrees_), others(worktrees_of(source)), found);
  if (!is_bare(source)) {
    if (source.git({"ls-files", "--stage", "-v"}) != index_) found.emplace_back("the index has changed");
    if (source.git({"stash", "list"}) != stash_) found.emplace_back("the stash has changed");
    if (source.git({"status", "--porcelain"}) != status_) found.emplace_back("the status has changed");
  }
  return found;
}

}  // namespace wtpool::test
