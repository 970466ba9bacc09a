#include "daemon/git/process/git.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/names.hpp"
#include "common/base/timed.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/process/filters.hpp"
#include "daemon/git/process/stale_locks.hpp"
#include "proto/errors.hpp"
#include "proto/shell_word.hpp"

extern char** environ;

namespace wtpool::git {
namespace {

using proto::Error;
using proto::ErrorKind;
using std::chrono::steady_clock;

// What no configuration may change. -c is the strongest scope, and git hands it on to the git processes it starts itself.
constexpr const char* kSettings[] = {
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.ext.allow=never",
    "core.packedRefsTimeout=10000",
    "core.filesRefLockTimeout=2000",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "push.recurseSubmodules=no",
    "fetch.writeCommitGraph=false",
    "commit.gpgSign=false",
    "push.gpgSign=false",
    "log.showSignature=false",
    "color.ui=false",
    "core.ignoreStat=false",
    "sparse.expectFilesOutsideOfPatterns=false",
    "advice.detachedHead=false",
    "worktree.useRelativePaths=false",
    "i18n.commitEncoding=UTF-8",
};

constexpr const char* kDurableSettings[] = {
    "core.fsync=loose-object,pack,pack-metadata,index,reference",
    "core.fsyncMethod=batch",
};

bool passes(std::string_view name) {
  static const std::set<std::string_view> kNames = {
      "PATH",          "HOME",        "USER",     "LOGNAME",   "TMPDIR",     "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR",
      "http_proxy",    "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY",   "NO_PROXY",      "ALL_PROXY",
      "DEVELOPER_DIR",  // which git the macOS shim starts
  };
  return kNames.contains(name) || name.starts_with("XDG_");
}

// A helper that is killed was given this long, at least, for what it was doing.
constexpr std::int64_t kHelperPatience = 30;

// How long a lock is waited for that a killed git of ours may have left: it is healed and not waited for.
constexpr const char* kHurriedSettings[] = {
    "core.packedRefsTimeout=100",
    "core.filesRefLockTimeout=100",
};

// Commands that lock what all worktrees share. Whoever only looks changes nothing by it, locks of the dead included.
bool writes_shared(const std::vector<std::string>& arguments) {
  static const std::set<std::string_view> kCommands = {"update-ref", "switch", "checkout", "worktree", "fetch"};
  return !arguments.empty() && kCommands.contains(arguments.front());
}

std::string in_words(const std::vector<std::string>& arguments) {
  std::string text = "git";
  for (std::size_t i = 0; i < arguments.size() && i < 3; ++i) text += " " + printable(arguments[i]);
  if (arguments.size() > 3) text += " ...";
  return text;
}

// The line of git's stderr that says why: the first that git itself marks, else the last one.
std::string reason_in(const std::string& stderr_text) {
  std::string last;
  for (const std::string& line : split(stderr_text, '\n')) {
    if (line.starts_with("fatal: ") || line.starts_with("error: ")) return printable(line.substr(7));
    if (!line.empty()) last = line;
  }
  return printable(last);
}

std::string first_line(const std::string& stderr_text) {
  const std::size_t begin = stderr_text.find_first_not_of('\n');
  return begin == std::string::npos ? std::string()
                                    : printable(stderr_text.substr(begin, stderr_text.find('\n', begin) - begin));
}

ErrorKind kind_of(const std::string& stderr_text) {
  if (stderr_text.find("No space left on device") != std::string::npos) return ErrorKind::no_space;
  if (stderr_text.find("Read-only file system") != std::string::npos) return ErrorKind::read_only;
  return ErrorKind::git_failed;
}

Error failure(ErrorKind kind, const std::vector<std::string>& argv, const Command& command, const ChildResult& result,
              const std::string& why) {
  const std::string what = command.task.empty() ? in_words(command.arguments) + " failed" : "cannot " + command.task;
  Error error(kind, what + ": " + why);
  error.git = proto::GitDetails{argv, result.exit_code, result.error_tail};
  return error;
}

}  // namespace

SpawnOptions options_for(const Place& place, const std::vector<std::string>& arguments, bool durable, bool hurried = false) {
  SpawnOptions options;
  options.argv = {"git", "--no-pager"};
  if (!place.git_dir.empty()) options.argv.push_back("--git-dir=" + place.git_dir);
  if (!place.work_tree.empty()) options.argv.push_back("--work-tree=" + place.work_tree);
  for (const char* setting : kSettings) options.argv.insert(options.argv.end(), {"-c", setting});
  if (durable) {
    for (const char* setting : kDurableSettings) options.argv.insert(options.argv.end(), {"-c", setting});
  }
  if (hurried) {
    for (const char* setting : kHurriedSettings) options.argv.insert(options.argv.end(), {"-c", setting});
  }
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.environment = git_environment();
  // A directory that is there as long as the command makes sense; never the daemon's own, which may have been removed.
  options.directory = place.git_dir.empty() ? "/" : place.git_dir;
  return options;
}

std::shared_ptr<Helpers> make_helpers(const std::string& common_dir) {
  return std::make_shared<Helpers>(common_dir, [common_dir](const std::vector<std::string>& arguments, bool durable) {
    auto options = options_for({common_dir, {}}, arguments, durable);
    options.on_kill = [common_dir] { remember_killed(common_dir, wall_now() - kHelperPatience, wall_now()); };
    return options;
  });
}

Git::Git(Place place, Context context) : place_(std::move(place)), context_(std::move(context)) {}

Git Git::with_place(Place place) const { return Git(std::move(place), context_); }

std::string Git::list_filters() const {
  const auto ask_git = [this] {
    Command ask;
    ask.arguments = {"config", "--show-scope", "-z", "--get-regexp", "^(filter|include|includeif)\\."};
    const ChildResult listed = run(ask);  // 1: there is none
    if (!listed.ok() && listed.exit_code != 1) {
      throw failure(kind_of(listed.error_tail), {"git", "config"}, ask, listed, reason_in(listed.error_tail));
    }
    return listed.output;
  };
  if (!context_.remember_filters) return ask_git();
  return filter_listing(place_.git_dir, common_dir_of(place_), ask_git);
}

std::vector<std::string> Git::drivers_off() const { return git::drivers_off(list_filters(), context_.allowed_filters); }

ChildResult Git::run(const Command& command) const {
  bool hurried = false;
  return run(command, hurried);
}

ChildResult Git::run(const Command& command, bool& hurried) const {
  const std::string common_dir = common_dir_of(place_);
  hurried = writes_shared(command.arguments) && heal_shared_locks(common_dir).young;
  SpawnOptions options = options_for(place_, command.arguments, command.durable, hurried);
  if (command.may_filter) {
    if (!filter_overrides_) {
      filter_overrides_ = filter_overrides(list_filters(), context_.allowed_filters);
    }
    options.environment.insert(options.environment.end(), filter_overrides_->begin(), filter_overrides_->end());
  }
  if (!command.directory.empty()) options.directory = command.directory;
  for (const auto& [key, value] : context_.environment) options.environment.push_back(key + "=" + value);
  for (const auto& [key, value] : command.environment) options.environment.push_back(key + "=" + value);

  options.input = command.input;
  options.inherited = context_.inherited;
  options.output_limit = command.output_limit;
  options.stop = context_.stop;
  options.on_start = context_.on_child;
  options.on_error_text = context_.on_progress;
  options.deadline = command.limit;
  if (context_.deadline != steady_clock::time_point::max()) {
    options.deadline = std::min<steady_clock::duration>(options.deadline, context_.deadline - steady_clock::now());
  }
  if (context_.stop.stop_requested()) throw Error(ErrorKind::cancelled, in_words(command.arguments) + " was not started");
  if (options.deadline <= steady_clock::duration::zero()) {
    throw Error(ErrorKind::git_timeout, in_words(command.arguments) + " was not started: the deadline is over");
  }

  const std::int64_t started = wall_now();
  options.on_kill = [&] { remember_killed(common_dir, started, wall_now()); };
  ChildResult result;
  try {
    const Timed timed("git", command.arguments.front());
    result = run_child(options);
  } catch (const Error& error) {
    if (!place_.git_dir.empty() && !is_directory_no_follow(place_.git_dir)) {
      throw Error(ErrorKind::source_missing, "cannot run git in " + printable(place_.git_dir) + ": there is no such directory",
                  "wtpool doctor");
    }
    Error wrapped(ErrorKind::git_failed, in_words(command.arguments) + " cannot start: " + error.message, error.hint);
    wrapped.git = proto::GitDetails{options.argv, 127, {}};
    throw wrapped;
  }
  if (result.end != ChildEnd::exited || says_killed(result.exit_code)) remember_killed(common_dir, started, wall_now());
  switch (result.end) {
    case ChildEnd::exited:
      return result;
    case ChildEnd::signalled:
      throw failure(ErrorKind::git_failed, options.argv, command, result,
                    "git was ended by signal " + std::to_string(result.signal));
    case ChildEnd::timed_out:
      throw failure(ErrorKind::git_timeout, options.argv, command, result, "it took too long and was ended");
    case ChildEnd::stopped:
      throw failure(ErrorKind::cancelled, options.argv, command, result, "it was cancelled");
    case ChildEnd::too_much_output: {
      TooMuchOutput error;
      static_cast<Error&>(error) =
          failure(ErrorKind::git_failed, options.argv, command, result, "it printed too much and was ended");
      throw error;
    }
  }
  return result;
}

std::string Git::must(const Command& command, std::string* said) const {
  bool hurried = false;
  ChildResult result = run(command, hurried);
  if (result.ok()) {
    if (said != nullptr) *said = result.error_tail;
    return std::move(result.output);
  }
  const bool locked = result.error_tail.find(".lock': File exists") != std::string::npos ||
                      result.error_tail.find("packed-refs.new: File exists") != std::string::npos ||
                      result.error_tail.find("could not lock config file") != std::string::npos;
  const auto stop = [this] { return context_.stop.stop_requested(); };
  if (locked && (heal_after_killed(common_dir_of(place_), stop) || hurried)) {
    result = run(command);
    if (result.ok()) {
    if (said != nullptr) *said = result.error_tail;
    return std::move(result.output);
  }
  }
  std::vector<std::string> argv = {"git"};
  argv.insert(argv.end(), command.arguments.begin(), command.arguments.end());
  const bool filter = command.may_filter && says_filter_failed(result.error_tail);
  std::string why = filter ? "a filter driver failed: " + first_line(result.error_tail) : reason_in(result.error_tail);
  if (why.empty()) why = "exit code " + std::to_string(result.exit_code);
  Error error = failure(kind_of(result.error_tail), argv, command, result, why);
  // It says whether somebody has that lock, and how it is taken away.
  if (locked) error.hint = "wtpool doctor";
  if (filter)
    error.hint = "git -C " + proto::shell_word(common_dir_of(place_)) + " config --show-origin --get-regexp '^filter[.]'";
  throw error;
}

std::vector<std::string> git_environment() {
  std::vector<std::string> result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (passes(text.substr(0, text.find('=')))) result.emplace_back(text);
  }
  for (const char* fixed : {
           "LANG=C",
           "LC_ALL=C",
           "GIT_TERMINAL_PROMPT=0",
           "GIT_ASKPASS=",  // empty: also core.askPass and SSH_ASKPASS are left alone
           "SSH_ASKPASS_REQUIRE=never",
           "GIT_PAGER=cat",
           "GIT_EDITOR=false",
           "GIT_SEQUENCE_EDITOR=false",
       }) {
    result.emplace_back(fixed);
  }
  return result;
}

std::optional<Version> git_version() {
  SpawnOptions options;
  options.argv = {"git", "version"};
  options.environment = git_environment();
  options.directory = "/";
  options.deadline = std::chrono::seconds(20);
  try {
    const ChildResult result = run_child(options);
    Version version;
    if (!result.ok() ||
        std::sscanf(result.output.c_str(), "git version %d.%d.%d", &version.major, &version.minor, &version.patch) < 2) {
      return std::nullopt;
    }
    return version;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace wtpool::git
