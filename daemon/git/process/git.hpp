// Running git: one environment, one set of safe settings, one way to fail. git is always the program, its arguments always a
// vector. Rules: no hook, no fsmonitor, no gc or maintenance, no ext:: transport, no prompt, no pager, no GIT_* from outside,
// filters only from the pool's list; SIGTERM and patience before SIGKILL.
// A Git value is cheap, belongs to one job, and is used by one thread at a time.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/process/run_child.hpp"
#include "daemon/core/state/values.hpp"
#include "daemon/git/process/helpers.hpp"

namespace wtpool::git {

// Where a command acts. In a slot, --git-dir and --work-tree are always given, so that an enclosing repository is never
// reached and core.worktree of a hostile config.worktree has no say.
struct Place {
  std::string git_dir;      // common git directory of the source, or the slot's <source>/worktrees/<id>
  std::string work_tree;    // empty: none
  std::string source = {};  // of a slot: the source's git directory; empty where git_dir is that itself, whatever it is called
};

struct Context {
  StopToken stop;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::vector<std::string> allowed_filters;
  std::vector<std::pair<std::string, std::string>> environment;  // of every command, before its own
  bool remember_filters = true;  // which are configured, from call to call; not where somebody else may write configuration
  std::vector<int> inherited;    // the slot lock's descriptor; none for fetches
  std::function<void(pid_t)> on_child;                // records the child in the slot lock
  std::function<void(std::string_view)> on_progress;  // stderr of git, as it comes
  std::shared_ptr<Helpers> helpers;                   // of the source; absent: each question is a process
};

// Helpers for a source, with the same safe settings as every other git.
[[nodiscard]] std::shared_ptr<Helpers> make_helpers(const std::string& common_dir);

// What a listing of a whole tree may take, of which each line is some hundred bytes.
inline constexpr std::size_t kWholeTree = std::size_t{1} << 30;

struct Command {
  std::vector<std::string> arguments;  // without "git" and without the safe settings
  std::string input;
  std::string task = {};       // what an error says could not be done; empty: the arguments say it
  std::string directory = {};  // where it runs; empty: in the git directory
  std::vector<std::pair<std::string, std::string>> environment;  // GIT_INDEX_FILE and the like
  bool durable = false;     // saves work or moves refs: core.fsync and fsyncMethod, so that a power cut takes neither
  bool may_filter = false;  // touches file content: unlisted filter drivers are switched off (costs one `git config`)
  std::chrono::seconds limit{600};
  std::size_t output_limit = std::size_t{64} << 20;  // of stdout; past it git is ended
};

// git printed more than it may. It would again.
struct TooMuchOutput : proto::Error {
  using proto::Error::Error;
};

class Git {
 public:
  Git(Place place, Context context);

  // Runs to the end; a non-zero exit is a result. Throws git_timeout, cancelled, git_failed (killed by a signal; cannot start),
  // TooMuchOutput.
  [[nodiscard]] ChildResult run(const Command& command) const;
  // The same, and throws git_failed (no_space, read_only where git says so) with argv, exit code and stderr's tail on any
  // non-zero exit; returns stdout.
  // `said` gets the end of its stderr where it succeeded.
  std::string must(const Command& command, std::string* said = nullptr) const;

  // Filter drivers that are configured there and that its commands do not run.
  [[nodiscard]] std::vector<std::string> drivers_off() const;

  [[nodiscard]] const Place& place() const { return place_; }
  [[nodiscard]] const Context& context() const { return context_; }
  [[nodiscard]] Git with_place(Place place) const;

 private:
  // `hurried`: it waited for locks no longer than for those of the dead.
  [[nodiscard]] ChildResult run(const Command& command, bool& hurried) const;
  [[nodiscard]] std::string list_filters() const;

  Place place_;
  Context context_;
  mutable std::optional<std::vector<std::string>> filter_overrides_;
};

// git's own way to say that what it started was ended by a signal, 128 and its number. Not so 255: `git config` says that of a
// file it cannot lock.
[[nodiscard]] constexpr bool says_killed(int exit_code) { return exit_code > 128 && exit_code <= 128 + 64; }

// The environment of every git child: PATH HOME USER LANG=C LC_ALL=C XDG_* SSH_AUTH_SOCK, GIT_TERMINAL_PROMPT=0 and so on.
[[nodiscard]] std::vector<std::string> git_environment();
// `git version` as numbers; nothing when git is missing.
struct Version {
  int major = 0, minor = 0, patch = 0;
};
[[nodiscard]] std::optional<Version> git_version();

}  // namespace wtpool::git
