// Repositories to test on. git runs with no configuration of the machine's, fixed authors, and its own exit code checked.
#pragma once

#include <vector>

#include "tests/support/process.hpp"

namespace wtpool::test {

Environment git_environment();
// Standard output, without the newline at its end. Throws when git fails.
std::string git(const fs::path& directory, const std::vector<std::string>& arguments, const std::string& input = {});
Outcome try_git(const fs::path& directory, const std::vector<std::string>& arguments, const std::string& input = {});

class Repo {
 public:
  // A clone-like repository with one commit: README.md, Makefile, src/main.c, .gitignore (*.o and build/).
  static Repo make(const fs::path& path, const std::string& branch = "main");
  static Repo make_bare(const fs::path& path, const Repo& from);
  static Repo clone(const fs::path& path, const Repo& from);
  // Many files and commits in one `git fast-import`: 5,000 and 200 take about a second.
  static Repo make_large(const fs::path& path, int files, int commits);
  explicit Repo(fs::path path) : path_(std::move(path)) {}

  [[nodiscard]] const fs::path& path() const { return path_; }
  [[nodiscard]] fs::path common_dir() const;
  std::string git(const std::vector<std::string>& arguments, const std::string& input = {}) const;
  [[nodiscard]] Outcome try_git(const std::vector<std::string>& arguments) const;

  // Writes the file, commits it, returns the commit's id.
  std::string commit(const std::string& file, const std::string& text, const std::string& message = "change") const;
  [[nodiscard]] std::string head() const { return git({"rev-parse", "HEAD"}); }
  [[nodiscard]] bool has_ref(const std::string& full_name) const;
  [[nodiscard]] bool has_branch(const std::string& name) const { return has_ref("refs/heads/" + name); }
  // Everything of the repository that nobody but its owner may change: refs, worktrees, config, HEAD, index, stash, hooks.
  [[nodiscard]] std::string everything() const;
  // `fsck` and the commands that a torn worktree entry breaks; empty when all is well.
  [[nodiscard]] std::string complaint() const;
  [[nodiscard]] std::vector<std::string> trash_refs() const;  // full names

 private:
  fs::path path_;
};

}  // namespace wtpool::test
