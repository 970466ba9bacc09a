#include "tests/support/repo.hpp"

#include <stdlib.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace wtpool::test {

Environment git_environment() {
  const char* path = ::getenv("PATH");
  return {{"PATH", path ? path : "/usr/bin:/bin"},
          {"HOME", "/nonexistent"},
          {"LC_ALL", "C"},
          {"GIT_CONFIG_GLOBAL", "/dev/null"},
          {"GIT_CONFIG_NOSYSTEM", "1"},
          {"GIT_AUTHOR_NAME", "A Tester"},
          {"GIT_AUTHOR_EMAIL", "tester@localhost"},
          {"GIT_COMMITTER_NAME", "A Tester"},
          {"GIT_COMMITTER_EMAIL", "tester@localhost"},
          {"GIT_TERMINAL_PROMPT", "0"}};
}

Outcome try_git(const fs::path& directory, const std::vector<std::string>& arguments, const std::string& input) {
  std::vector<std::string> argv = {"git"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run({.argv = argv, .environment = git_environment(), .directory = directory, .input = input});
}

std::string git(const fs::path& directory, const std::vector<std::string>& arguments, const std::string& input) {
  const auto outcome = try_git(directory, arguments, input);
  if (outcome.code != 0) {
    std::ostringstream text;
    text << "git";
    for (const auto& argument : arguments) text << " " << argument;
    text << " in " << directory << ": " << outcome;
    throw std::runtime_error(text.str());
  }
  return trimmed(outcome.out);
}

Repo Repo::make(const fs::path& path, const std::string& branch) {
  fs::create_directories(path);
  test::git(path, {"init", "-q", "-b", branch});
  write_text(path / "README.md", "A repository.\n");
  write_text(path / "Makefile", "build/main: src/main.c\n\tmkdir -p build\n\tcc -o $@ $<\n");
  write_text(path / "src/main.c", "int main(void) { return 0; }\n");
  write_text(path / ".gitignore", "*.o\nbuild/\n");
  test::git(path, {"add", "."});
  test::git(path, {"commit", "-q", "-m", "first"});
  return Repo(path);
}

Repo Repo::make_bare(const fs::path& path, const Repo& from) {
  test::git(from.path(), {"clone", "-q", "--bare", from.path().string(), path.string()});
  return Repo(path);
}

Repo Repo::clone(const fs::path& path, const Repo& from) {
  test::git(from.path(), {"clone", "-q", from.path().string(), path.string()});
  return Repo(path);
}

Repo Repo::make_large(const fs::path& path, int files, int commits) {
  fs::create_directories(path);
  test::git(path, {"init", "-q", "-b", "main"});
  std::ostringstream stream;
  const auto data = [&stream](const std::string& text) { stream << "data " << text.size() << "\n" << text << "\n"; };
  const auto commit = [&](int number) {
    stream << "commit refs/heads/main\ncommitter A Tester <tester@localhost> " << 1'600'000'000 + number * 60 << " +0000\n";
    data("commit " + std::to_string(number));
  };
  const auto name = [](int file) {
    return "dir" + std::to_string(file % 50) + "/sub" + std::to_string(file % 7) + "/file" + std::to_string(file) + ".txt";
  };
  commit(0);
  for (int file = 0; file < files; ++file) {
    stream << "M 100644 inline " << name(file) << "\n";
    std::string text;
    for (int line = 0; line < 20; ++line) text += "file " + std::to_string(file) + " line " + std::to_string(line) + "\n";
    data(text);
  }
  for (int number = 1; number < commits; ++number) {
    commit(number);
    for (int change = 0; change < 5; ++change) {
      stream << "M 100644 inline " << name((number * 37 + change * 11) % files) << "\n";
      data("changed by commit " + std::to_string(number) + "\n");
    }
  }
  stream << "done\n";
  test::git(path, {"fast-import", "--quiet", "--done"}, stream.str());
  test::git(path, {"reset", "-q", "--hard"});
  return Repo(path);
}

fs::path Repo::common_dir() const { return fs::canonical(path_ / git({"rev-parse", "--git-common-dir"})); }

std::string Repo::git(const std::vector<std::string>& arguments, const std::string& input) const {
  return test::git(path_, arguments, input);
}

Outcome Repo::try_git(const std::vector<std::string>& arguments) const { return test::try_git(path_, arguments); }

std::string Repo::commit(const std::string& file, const std::string& text, const std::string& message) const {
  write_text(path_ / file, text);
  git({"add", "--", file});
  git({"commit", "-q", "-m", message});
  return head();
}

bool Repo::has_ref(const std::string& full_name) const {
  return try_git({"show-ref", "--verify", "--quiet", full_name}).code == 0;
}

std::string Repo::everything() const {
  const auto dir = common_dir();
  std::ostringstream text;
  text << git({"for-each-ref"}) << "\n" << git({"worktree", "list", "--porcelain"}) << "\n";
  text << read_text(dir / "config") << read_text(dir / "HEAD") << read_text(dir / "FETCH_HEAD")
       << read_text(dir / "info/exclude");
  if (git({"rev-parse", "--is-bare-repository"}) == "false") {
    text << git({"stash", "list"}) << "\n" << git({"ls-files", "--stage"}) << "\n" << git({"status", "--porcelain"}) << "\n";
  }
  if (fs::exists(dir / "hooks")) {
    std::vector<std::string> hooks;
    for (const auto& entry : fs::directory_iterator(dir / "hooks")) hooks.push_back(entry.path().filename().string());
    std::sort(hooks.begin(), hooks.end());
    for (const auto& hook : hooks) text << hook << "\n";
  }
  text << (fs::exists(dir / "worktrees") ? "worktrees/ is there\n" : "no worktrees/\n");
  return text.str();
}

std::string Repo::complaint() const {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"fsck", "--no-progress", "--no-dangling"}, {"worktree", "list"}, {"branch", "--list"}, {"for-each-ref"}}) {
    const auto outcome = try_git(arguments);
    if (outcome.code != 0 || (arguments[0] == "fsck" && outcome.err.find("error") != std::string::npos)) {
      return "git " + arguments[0] + ": " + outcome.out + outcome.err;
    }
  }
  return {};
}

std::vector<std::string> Repo::trash_refs() const {
  return lines_of(git({"for-each-ref", "--format=%(refname)", "refs/wtpool/trash"}));
}

}  // namespace wtpool::test
