// The command line as values: one struct a verb. Parsing is pure but for the text it hands back; the library behind it is
// known to options.cpp alone.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "proto/messages.hpp"

namespace wtpool::client {

enum class Loudness { quiet, normal, verbose };

struct Globals {  // taken before or after the verb
  std::optional<std::string> pool;
  std::optional<std::string> socket;
  bool json = false;
  Loudness loudness = Loudness::normal;
};

struct InitCommand {
  std::string source;  // absent: `path`
  std::string path;    // or a folder in it; absent: the current directory
  std::optional<int> max_slots;
  std::vector<std::string> groups;
  std::optional<std::string> default_commit;
  std::optional<std::string> submodule_mirror_mode;
  std::optional<std::string> submodule_mirror_base;
};
struct RemoveCommand {
  std::optional<std::string> slot;  // absent: the whole pool, which --pool then names
  bool discard = false;
};
struct PoolsCommand {};
struct AcquireCommand {
  std::string name;
  std::optional<std::string> commit;
  std::optional<std::string> group;
  std::optional<std::string> key;
  bool unique_sha = false;
  std::vector<std::string> exclude_submodule_tags;
  bool verify = false;
  bool resume = false;
  bool replace = false;
  bool restore = false;
  std::optional<std::chrono::milliseconds> wait;  // 0 = without an end
  std::optional<std::chrono::seconds> ttl;
  std::optional<std::int64_t> owner_pid;
};
struct RunCommand {
  AcquireCommand acquire;
  std::vector<std::string> command;  // the program first
};
struct CiBeginCommand {
  std::optional<std::string> system;  // absent: the one whose variables are set
  AcquireCommand acquire;             // NAME and key are the job's
  bool env = false;                   // lines for a shell's eval instead of the path
  bool print = false;                 // says what would be done
};
struct CiEndCommand {
  std::optional<std::string> system;
  std::optional<proto::Dirty> dirty;
  bool print = false;
};
struct RenewCommand {
  std::string target;
  std::optional<std::chrono::seconds> ttl;
};
struct ReleaseCommand {
  std::optional<std::string> target;
  std::optional<std::string> lease;
  std::optional<proto::Dirty> dirty;
  bool delete_remote = false;
  bool wait = false;
};
struct ListCommand {
  bool git_status = false;
  bool watch = false;
};
struct WatchCommand {};
struct TrashListCommand {};
struct TrashRestoreCommand {
  std::string id;
  std::optional<std::string> branch;
};
struct TrashDropCommand {
  std::string id;
};
struct InspectCommand {
  std::string target;
};
struct PathCommand {
  std::string target;
};
struct RepairCommand {
  std::string slot;
  bool discard = false;
};
struct StatusCommand {};
struct DoctorCommand {
  bool repair = false;
};
struct DaemonCommand {
  enum class Action { start, stop, restart, status, socket } action = Action::status;
};
struct UnstickCommand {
  std::optional<std::string> slot;
};
struct ValidateGitmodulesCommand {};

using Command = std::variant<InitCommand, RemoveCommand, PoolsCommand, AcquireCommand, ReleaseCommand, ListCommand,
                             InspectCommand, PathCommand, RepairCommand, StatusCommand, DoctorCommand, DaemonCommand,
                             UnstickCommand, ValidateGitmodulesCommand, RunCommand, RenewCommand, WatchCommand,
                             TrashListCommand, TrashRestoreCommand, TrashDropCommand, CiBeginCommand, CiEndCommand>;

struct Parsed {
  Globals globals;
  Command command;
};

// Nothing is to be run: --help, --version (exit code 0, text for stdout) or wrong usage (2, text for stderr).
struct Told {
  int exit_code = 0;
  std::string text;
};

inline constexpr int kWrongUsage = 2;
inline constexpr int kRunFailed = 125;  // of `run`, whatever failed: all other codes are its command's

// `args` with the program's name first, as main has them.
[[nodiscard]] std::variant<Parsed, Told> parse_options(std::span<const char* const> args);

}  // namespace wtpool::client
