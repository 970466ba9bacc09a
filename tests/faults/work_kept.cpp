// Invariants 4, 5 and 7: commits, files, and git by hand.
#include <set>

#include "tests/faults/invariants.hpp"

namespace wtpool::test {
namespace {

// Of `oids`, those that no ref of `where` (arguments of rev-list) reaches; one that is no object any more is among them.
std::vector<std::string> unreachable(const Repo& source, const std::vector<std::string>& oids,
                                     const std::vector<std::string>& where) {
  if (oids.empty()) return {};
  std::string questions, wanted;
  for (const auto& oid : oids) questions += oid + "^{commit}\n";
  const auto answers = lines_of(source.git({"cat-file", "--batch-check=%(objectname)"}, questions));
  std::set<std::string> asked;
  std::vector<std::string> lost;
  for (std::size_t i = 0; i < oids.size(); ++i) {
    if (i < answers.size() && answers[i] == oids[i]) {
      wanted += oids[i] + "\n";
      asked.insert(oids[i]);
    } else {
      lost.push_back(oids[i]);
    }
  }
  std::vector<std::string> arguments = {"rev-list", "--stdin", "--not"};
  arguments.insert(arguments.end(), where.begin(), where.end());
  for (const auto& oid : lines_of(source.git(arguments, wanted)))
    if (asked.contains(oid)) lost.push_back(oid);
  return lost;
}

// Every content that a trash entry keeps, in refs or in files.
std::string kept_contents(const Observed& observed) {
  std::string contents;
  std::set<std::string> blobs;
  std::vector<std::string> trees;
  for (const auto& ref : observed.source.trash_refs()) {
    if (!ref.ends_with("/work")) continue;
    for (const auto* parent : {"", "^2", "^3"}) trees.push_back(ref + parent + "^{tree}");
  }
  std::string questions;
  for (const auto& tree : trees) questions += tree + "\n";
  std::set<std::string> known;
  if (!questions.empty()) {
    for (const auto& line : lines_of(observed.source.git({"cat-file", "--batch-check"}, questions))) {
      const auto space = line.find(' ');
      if (line.find(" tree ") == std::string::npos || !known.insert(line.substr(0, space)).second) continue;
      for (const auto& blob : lines_of(observed.source.git({"ls-tree", "-r", "--object-only", line.substr(0, space)})))
        blobs.insert(blob);
    }
  }
  std::string wanted;
  for (const auto& blob : blobs) wanted += blob + "\n";
  if (!wanted.empty()) contents += observed.source.git({"cat-file", "--batch"}, wanted) + "\n";
  std::error_code none;
  for (fs::recursive_directory_iterator it(observed.root() / ".meta/trash", none), end; !none && it != end; it.increment(none))
    if (it->is_regular_file(none)) contents += read_text(it->path());
  return contents;
}

// Files that stand in slots, the pool's own and git's left out.
std::string standing_contents(const Observed& observed) {
  std::string contents;
  std::error_code none;
  for (const auto& slot : fs::directory_iterator(observed.root(), none)) {
    if (slot.path().filename() == ".meta" || !slot.is_directory(none)) continue;
    for (fs::recursive_directory_iterator it(slot.path(), none), end; !none && it != end; it.increment(none))
      if (it->is_regular_file(none) && it->path().filename() != ".git") contents += read_text(it->path());
  }
  // Of a slot whose directory somebody deleted, what was staged stands in its index alone, and is kept when it is released.
  for (const auto& entry : fs::directory_iterator(observed.source.common_dir() / "worktrees", none)) {
    if (fs::exists(trimmed(read_text(entry.path() / "gitdir")))) continue;
    std::string wanted;
    for (const auto& line : lines_of(try_git("/", {"--git-dir=" + entry.path().string(), "ls-files", "--stage"}).out))
      wanted += line.substr(7, line.find(' ', 7) - 7) + "\n";
    if (!wanted.empty()) contents += observed.source.git({"cat-file", "--batch"}, wanted) + "\n";
  }
  return contents;
}

}  // namespace

Violations lost_commits(const Observed& observed) {
  std::vector<std::string> all = observed.ledger.commits_of_the_past();
  Violations found;
  for (const auto& oid : unreachable(observed.source, all, {"--single-worktree", "--glob=refs/*"}))
    found.push_back("4: commit " + oid + " of a lease that is over is reachable from no ref");
  std::vector<std::string> held;
  for (const auto& [name, story] : observed.ledger.stories())
    held.insert(held.end(), story.commits.begin(), story.commits.end());
  for (const auto& oid : unreachable(observed.source, held, {"--all"}))
    found.push_back("4: commit " + oid + " of a lease is reachable from no ref and no HEAD");
  return found;
}

Violations lost_files(const Observed& observed) {
  Violations found;
  const auto contents = kept_contents(observed) + standing_contents(observed);
  const auto look_for = [&](const std::string& content, const std::string& whose) {
    if (contents.find(content) == std::string::npos)
      found.push_back("5: content '" + trimmed(content) + "' of " + whose + " is lost");
  };
  for (const auto& content : observed.ledger.files_of_the_past()) look_for(content, "a lease that is over");
  for (const auto& [name, story] : observed.ledger.stories()) {
    for (const auto& [file, content] : story.files) {
      if (story.told == Told::acknowledged && !story.killed) {
        if (read_text(story.path / file) != content)
          found.push_back("5: " + file + " of " + name + ", who holds its slot, has changed");
      } else {
        look_for(content, name);
      }
    }
  }
  return found;
}

Violations unusable_source(const Repo& source) {
  Violations found;
  const std::vector<std::vector<std::string>> by_hand = {{"worktree", "list"},
                                                         {"status", "--porcelain"},
                                                         {"branch", "--list"},
                                                         {"for-each-ref"},
                                                         {"fsck", "--connectivity-only", "--no-progress", "--no-dangling"},
                                                         {"branch", "-f", "by-hand-of-somebody"},
                                                         {"branch", "-q", "-D", "by-hand-of-somebody"}};
  const bool bare = source.git({"rev-parse", "--is-bare-repository"}) == "true";
  for (const auto& arguments : by_hand) {
    if (bare && arguments[0] == "status") continue;
    const auto outcome = source.try_git(arguments);
    if (outcome.code == 0 && (arguments[0] != "fsck" || outcome.err.find("error") == std::string::npos)) continue;
    std::string text = "7: git";
    for (const auto& argument : arguments) text += " " + argument;
    found.push_back(text + " ends with " + std::to_string(outcome.code) + ": " + outcome.out + outcome.err);
  }
  return found;
}

}  // namespace wtpool::test
