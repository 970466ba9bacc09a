#include "daemon/git/source/source.hpp"

#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <filesystem>

#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/checked_out.hpp"
#include "daemon/git/files/refs_on_disk.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/process/stale_locks.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/source/worktree_config.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;
using proto::Error;
using proto::ErrorKind;

std::optional<std::string> value_of(const Git& git, const std::string& key, const std::string& type) {
  Command command;
  command.arguments = {"config", "-z", "--type=" + type, "--get", key};
  const ChildResult result = git.run(command);
  if (!result.ok()) return std::nullopt;
  return result.output.substr(0, result.output.find('\0'));
}

bool is_bare(const Git& common) { return value_of(common, "core.bare", "bool") == "true"; }

// The main working tree of a repository that is not bare. Its place is nowhere written when the git directory stands apart;
// then it is known only when `path` is it.
std::optional<std::string> main_worktree(const Git& common, const Git& at_path, const std::string& path) {
  const fs::path common_dir = common.place().git_dir;
  if (const auto set = value_of(common, "core.worktree", "path")) {
    const fs::path tree(*set);
    return real_path(tree.is_absolute() ? tree : common_dir / tree).string();
  }
  if (common_dir.filename() == ".git") return common_dir.parent_path().string();
  Command ask;
  ask.arguments = {"-C", path, "rev-parse", "--absolute-git-dir"};
  const ChildResult own = at_path.run(ask);
  if (!own.ok() || real_path(trimmed(own.output)) != common_dir || real_path(path) == common_dir) return std::nullopt;
  return real_path(path).string();
}

// The line of git's that says why.
std::string said_in(const std::string& error_tail) {
  std::string said;
  for (const std::string& line : split(error_tail, '\n')) {
    if (line.starts_with("fatal: ") || line.starts_with("error: ")) return printable(line.substr(7));
    if (said.empty()) said = printable(line);
  }
  return said;
}

Error no_repository(const std::string& path, const ChildResult& asked) {
  const std::string shown = printable(path);
  if (asked.error_tail.find("dubious ownership") != std::string::npos ||
      asked.error_tail.find("unsafe repository") != std::string::npos) {
    return {ErrorKind::source_not_owned, "cannot open the source " + shown + ": the repository belongs to another user",
            "git config --global --add safe.directory " + proto::shell_word(path)};
  }
  std::error_code failed;
  if (fs::is_directory(path, failed) && ::access(path.c_str(), R_OK | X_OK) != 0 && errno == EACCES) {
    return {ErrorKind::permission_denied, "cannot open the source " + shown + ": you may not read it",
            "ls -ld " + proto::shell_word(path)};
  }
  const bool there = fs::exists(path, failed);
  // Whatever else git says is no reason to take a sound repository for none: its configuration may be broken for a minute.
  if (fs::is_directory(path, failed) && !asked.error_tail.empty() &&
      asked.error_tail.find("not a git repository") == std::string::npos) {
    Error fails(ErrorKind::git_failed, "cannot open the source " + shown + ": git fails there: " + said_in(asked.error_tail),
                "git -C " + proto::shell_word(path) + " status");
    fails.git = proto::GitDetails{{"git", "-C", path, "rev-parse"}, asked.exit_code, asked.error_tail};
    return fails;
  }
  Error error(ErrorKind::source_missing,
              "cannot open the source " + shown + ": " + (there ? "it is no git repository" : "there is no such directory"),
              "git -C " + proto::shell_word(path) + " rev-parse --show-toplevel");
  error.git = proto::GitDetails{{"git", "-C", path, "rev-parse"}, asked.exit_code, asked.error_tail};
  return error;
}

// What a branch that is a symbolic ref stands for: commits on the one are commits on the other.
std::string branch_behind(const Git& source, const std::string& name) {
  constexpr std::string_view kLead = "ref: refs/heads/";
  constexpr int kDeepest = 5;  // as for git
  std::string branch = name;
  for (int depth = 0; depth < kDeepest; ++depth) {
    const fs::path file = fs::path(source.place().git_dir) / "refs/heads" / branch;
    const auto stat = lstat_of(file);
    const auto text = stat && S_ISREG(stat->st_mode) ? read_file(file) : std::nullopt;
    if (!text || !text->starts_with(kLead)) break;
    branch = trimmed(text->substr(kLead.size()));
  }
  return branch;
}

std::optional<std::string> where_checked_out(const Git& source, const std::string& shown_name) {
  const std::string name = branch_behind(source, shown_name);
  SourceFacts facts;
  facts.common_dir = source.place().git_dir;
  if (holds_branch(facts.common_dir, name) && !is_bare(source)) {
    const fs::path common_dir(facts.common_dir);
    facts.worktree = common_dir.filename() == ".git" ? common_dir.parent_path().string() : facts.common_dir;
  }
  return checked_out_at(facts, name);
}

constexpr std::string_view kHeads = "refs/heads/";

std::string branch_ref(const std::string& name) { return std::string(kHeads) + name; }

std::vector<std::string> directories_above(const std::string& name) {
  std::vector<std::string> above;
  for (std::size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    above.push_back(name.substr(0, slash));
  }
  return above;
}

std::optional<std::string> conflict_in(RefFiles& refs, const std::string& name) {
  if (const auto below = refs.any_below(branch_ref(name))) return below->substr(kHeads.size());
  for (const std::string& above : directories_above(name)) {
    if (refs.exists(branch_ref(above))) return above;
  }
  return std::nullopt;
}

std::optional<std::string> conflict_by_git(const Git& source, const std::string& name) {
  Command list;
  list.arguments = {"for-each-ref", "--count=1", "--format=%(refname)", "--", branch_ref(name) + "/"};
  if (const std::string below = trimmed(source.must(list)); !below.empty()) return below.substr(kHeads.size());
  for (const std::string& above : directories_above(name)) {
    Command verify;
    verify.arguments = {"show-ref", "--verify", "-q", "--", branch_ref(above)};
    if (source.run(verify).ok()) return above;
  }
  return std::nullopt;
}

}  // namespace

SourceFacts open_source(const std::string& path, const Context& context) {
  const Git anywhere(Place{}, context);
  Command ask;
  ask.arguments = {"-C", path, "rev-parse", "--path-format=absolute", "--git-common-dir"};
  // Only what stands at the path itself: a repository that happens to enclose it was not meant.
  ask.environment = {{"GIT_CEILING_DIRECTORIES", real_path(path).parent_path().string()}};
  const ChildResult asked = path.empty() ? ChildResult{.exit_code = 128, .output = {}, .error_tail = {}} : anywhere.run(ask);
  if (!asked.ok()) throw no_repository(path, asked);
  std::string common_dir = asked.output;
  if (common_dir.ends_with('\n')) common_dir.pop_back();

  SourceFacts facts;
  facts.common_dir = real_path(common_dir).string();
  if (lstat_of(fs::path(facts.common_dir) / "reftable")) {
    throw Error(ErrorKind::bad_config,
                "cannot use the source " + printable(path) + ": it keeps its refs as reftable, which is not read here yet",
                "git -C " + proto::shell_word(path) + " refs migrate --ref-format=files");
  }
  const Git common(Place{facts.common_dir, {}}, context);
  facts.worktree_config = value_of(common, "extensions.worktreeConfig", "bool") == "true";
  if (!is_bare(common)) facts.worktree = main_worktree(common, anywhere, path);
  return facts;
}

void not_bare(const Git& source, const std::string& entry) {
  if (!is_bare(source)) return;
  Command set;
  set.arguments = {"config", "--file", entry + "/config.worktree", "core.bare", "false"};
  source.must(set);
}

std::string default_commit_of(const SourceFacts& source, const Context& context) {
  const Git git(Place{source.common_dir, {}}, context);
  Command ask;
  ask.arguments = {"symbolic-ref", "-q", "refs/remotes/origin/HEAD"};
  const ChildResult origin = git.run(ask);
  if (origin.ok()) {
    const std::string target = trimmed(origin.output);
    if (ids_of(git, {target}).front()) return target;
  }
  ask.arguments.back() = "HEAD";
  const ChildResult head = git.run(ask);
  if (head.ok()) return trimmed(head.output);
  throw Error(
      ErrorKind::commit_unknown,
      "cannot find a default commit in " + printable(source.common_dir) + ": it has no origin/HEAD and its HEAD is detached",
      "wtpool init --source REPO --default-commit REF");
}

core::done::Resolved resolve(const Git& source, const std::string& commit, const std::string& name) {
  core::done::Resolved resolved;
  const std::string branch = branch_ref(name);
  const bool askable = !commit.empty() && commit.find_first_of(std::string_view("\n\0", 2)) == std::string::npos;

  const bool may_be_remote = name.find('/') != std::string::npos;
  std::vector<std::string> questions = {askable ? commit + "^{commit}" : "", askable ? commit + "^{tree}" : ""};
  if (may_be_remote) questions.push_back("refs/remotes/" + name);
  const std::vector<std::optional<Oid>> ids = ids_of(source, questions);
  if (ids[0] && ids[1]) {
    resolved.commit = ids[0];
    resolved.tree = *ids[1];
  }

  // The branch itself by its exact name: `cat-file` would also find refs/tags/refs/heads/NAME.
  if (auto refs = RefFiles::open(source.place().git_dir)) {
    if (refs->exists(branch)) resolved.branch_tip = refs->value(branch);
    if (refs->exists(branch) && !resolved.branch_tip) resolved.branch_tip = ids_of(source, {branch}).front();
    resolved.branch_conflict = conflict_in(*refs, name);
    resolved.remote_branch = may_be_remote && refs->exists("refs/remotes/" + name);
    if (!resolved.branch_tip && refs->exists("refs/remotes/origin/" + name))
      resolved.origin_tip = ids_of(source, {"refs/remotes/origin/" + name + "^{commit}"}).front();
  } else {
    Command list;
    list.arguments = {"for-each-ref", "--format=%(objectname) %(refname)", "--count=1", "--", branch};
    const std::string line = source.must(list);
    const std::size_t space = line.find(' ');
    if (space != std::string::npos && trimmed(line.substr(space + 1)) == branch) {
      resolved.branch_tip = Oid(line.substr(0, space));
    }
    resolved.branch_conflict = conflict_by_git(source, name);
    resolved.remote_branch = may_be_remote && ids.back().has_value();
    if (!resolved.branch_tip) resolved.origin_tip = ids_of(source, {"refs/remotes/origin/" + name + "^{commit}"}).front();
  }
  resolved.checked_out_at = where_checked_out(source, name);
  return resolved;
}

std::optional<std::string> conflicting_branch(const Git& source, const std::string& name) {
  if (auto refs = RefFiles::open(source.place().git_dir)) return conflict_in(*refs, name);
  return conflict_by_git(source, name);
}

std::optional<std::string> tracking_name_of(const Git& source, const std::string& name) {
  if (bad_name(name)) return std::nullopt;
  Command list;
  list.arguments = {"for-each-ref", "--format=%(refname:short)", "--", "refs/remotes/*/" + name};
  std::optional<std::string> found;
  for (const std::string& line : split(source.run(list).output, '\n')) {
    if (!line.empty() && (!found || line == "origin/" + name)) found = line;
  }
  return found;
}

std::optional<std::string> checked_out_at(const SourceFacts& source, const std::string& name, const std::string& except) {
  return checked_out_at(source.common_dir, source.worktree, name, except);
}

void forget_branch_config(const Git& source, const std::string& name) {
  // Most branches have no section, and a plain look at the file is enough to know.
  const auto config = read_file(fs::path(source.place().git_dir) / "config", std::size_t{64} << 20);
  if (!config || config->find("[branch") == std::string::npos) return;
  const std::string prefix = "branch." + name + ".";
  Command list;
  list.arguments = {"config", "--local", "--name-only", "-z", "--get-regexp", "^branch\\."};
  bool found = false;
  for (const std::string& key : split(source.run(list).output, '\0')) {
    found = found || (key.starts_with(prefix) && key.find('.', prefix.size()) == std::string::npos);
  }
  if (!found || ids_of(source, {"refs/heads/" + name}).front()) return;
  Command remove;
  remove.arguments = {"config", "--local", "--remove-section", "branch." + name};
  // git does not wait for config.lock, and another job of the same source may hold it for a moment.
  for (int attempt = 0;; ++attempt) {
    const ChildResult result = source.run(remove);
    if (result.ok() || result.error_tail.find("no such section") != std::string::npos) return;
    (void)heal_after_killed(source.place().git_dir, [&source] { return source.context().stop.stop_requested(); });
    if (attempt == 40 || result.error_tail.find("could not lock") == std::string::npos) {
      source.must(remove);
      return;
    }
    ::usleep(25'000);
  }
}

std::vector<Oid> first_parents(const Git& source, const Oid& from, int count) {
  Command command;
  command.arguments = {"rev-list", "--first-parent", "--max-count=" + std::to_string(count), from.str(), "--"};
  std::vector<Oid> line;
  for (const auto& text : split(source.must(command), '\n')) {
    if (!text.empty()) line.emplace_back(text);
  }
  return line;
}

std::int64_t commits_ahead(const Git& place, const std::string& tip, const std::string& base) {
  Command command;
  command.arguments = {"rev-list", "--count", "--end-of-options", base + ".." + tip, "--"};
  return std::stoll(place.must(command));
}

}  // namespace wtpool::git
