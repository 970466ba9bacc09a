// The command line as values: one struct a verb. Parsing is pure but for the text it hands back; the library behind it is
// known to options.cpp alone.
#pragma once

#include <chrono>
#include <cstdint>
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
  std::string source;
  std::optional<std::string> reference;
  std::optional<int> max_slots;
  std::vector<std::string> groups;
  std::optional<std::string> default_commit;
  std::optional<std::string> submodule_mirror_mode;
  std::optional<std::string> submodule_mirror_base;
};
struct RemoveCommand {
  std::optional<std::string> slot;  // absent: the whole pool, which --pool then names
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
  bool frozen_only = false;
  bool fetch = false;
  bool resume = false;
  bool replace = false;
  bool reuse = false;
  std::optional<std::chrono::milliseconds> wait;  // 0 = without an end
  std::optional<std::chrono::seconds> ttl;
  std::optional<std::int64_t> owner_pid;
  bool hooks = true;
  bool env = false;  // of acquire alone: lines for a shell instead of the path
};
struct RunCommand {
  AcquireCommand acquire;                            // no NAME: one is made from the command
  std::optional<std::chrono::milliseconds> timeout;  // of the command
  bool stats = false;
  std::optional<std::string> stats_file;
  std::vector<std::string> command;  // the program first
};
struct GoCommand {
  AcquireCommand acquire;
  bool keep = false;
  std::vector<std::string> command;  // empty: what the pool has for a session, else the user's shell
};
struct SweepCommand {
  std::vector<std::string> names;
  std::optional<std::chrono::seconds> min_age;
  bool dry_run = false;
};
struct DiffCommand {
  std::optional<std::string> target;
  std::vector<std::string> command;  // options of `git diff`
};
struct HooksListCommand {};
struct HooksRunCommand {
  std::string event;
  std::optional<std::string> target;
};
struct HooksTrustCommand {
  bool yes = false;
};
struct HooksRevokeCommand {};
struct WhoamiCommand {};
struct OrientCommand {};
struct AgentCreateCommand {};  // both read a coding agent's JSON from stdin
struct AgentRemoveCommand {};
struct AgentInstallCommand {
  std::string agent;
  bool user = false;  // the user's settings, not the project's
  bool dry_run = false;
  bool uninstall = false;
};
struct McpCommand {};
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
struct CompletionCommand {
  std::string shell;
};
struct ShellInitCommand {
  std::string shell;
};
struct CompleteCommand {
  std::vector<std::string> command;  // the words behind the program's name; the last is being typed
};
struct PrepareCommand {
  std::optional<std::string> group;
  std::optional<std::string> commit;
  std::optional<std::string> slot;
  std::optional<std::chrono::milliseconds> wait;  // 0 = without an end
  std::vector<std::string> command;               // empty: an idle slot is frozen as it stands
};
struct TemplateListCommand {};
struct TemplateDropCommand {
  std::string id;
};
struct RenewCommand {
  std::string target;
  std::optional<std::string> lease;
  std::optional<std::chrono::seconds> ttl;
};
struct ReleaseCommand {
  std::optional<std::string> target;
  std::optional<std::string> lease;
  std::optional<proto::Dirty> dirty;
  bool delete_remote = false;
  bool keep_branch = false;
  bool wait = false;
};
struct LandCommand {
  std::optional<std::string> target;
  std::optional<std::string> into;
  std::optional<proto::LandStyle> style;
  std::optional<std::string> message;
  std::optional<std::string> test;
  bool no_test = false;
  bool release = false;
  bool stay = false;
  bool push = false;
  bool dry_run = false;
  std::optional<std::chrono::milliseconds> wait;
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

struct StorePlaceCommand {
  std::string key;
  std::optional<std::string> archive;
  std::optional<std::string> into;
  std::optional<std::string> mode;
  bool frozen_only = false;
  bool force = false;
  std::vector<std::string> command;  // prints the archive
};
struct StoreAddCommand {
  std::optional<std::string> dep;
  std::vector<std::string> words;  // KEY and ARCHIVE, or ARCHIVE alone with a dep
};
struct StoreHasCommand {
  std::vector<std::string> keys;
};
struct StoreListCommand {};
struct StoreStatusCommand {
  std::optional<std::string> target;
};
struct StoreThawCommand {
  std::vector<std::string> paths;
};
struct StoreFreezeCommand {
  std::vector<std::string> paths;
  bool discard = false;
};
struct StoreGcCommand {
  bool dry_run = false;
  std::optional<std::chrono::seconds> older_than;
  std::optional<std::uint64_t> keep;
  std::optional<std::string> archives;
};
struct StoreVerifyCommand {
  std::optional<std::string> key;
};
struct StorePathCommand {};

using Command =
    std::variant<InitCommand, RemoveCommand, PoolsCommand, AcquireCommand, ReleaseCommand, ListCommand, InspectCommand,
                 PathCommand, RepairCommand, StatusCommand, DoctorCommand, DaemonCommand, UnstickCommand,
                 ValidateGitmodulesCommand, RunCommand, RenewCommand, WatchCommand, TrashListCommand, TrashRestoreCommand,
                 TrashDropCommand, CiBeginCommand, CiEndCommand, CompletionCommand, ShellInitCommand, CompleteCommand,
                 StorePlaceCommand, StoreAddCommand, StoreHasCommand, StoreListCommand, StoreStatusCommand, StoreThawCommand,
                 StoreFreezeCommand, StoreGcCommand, StoreVerifyCommand, StorePathCommand, GoCommand, SweepCommand, DiffCommand,
                 WhoamiCommand, OrientCommand, AgentCreateCommand, AgentRemoveCommand, AgentInstallCommand, McpCommand,
                 LandCommand, PrepareCommand, TemplateListCommand, TemplateDropCommand, HooksListCommand, HooksRunCommand,
                 HooksTrustCommand, HooksRevokeCommand>;

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
inline constexpr int kRunTimedOut = 124;  // of `run --timeout`, as timeout(1) has it
inline constexpr int kRunFailed = 125;    // of `run`, whatever failed: all other codes are its command's

// `args` with the program's name first, as main has them.
[[nodiscard]] std::variant<Parsed, Told> parse_options(std::span<const char* const> args);

}  // namespace wtpool::client
