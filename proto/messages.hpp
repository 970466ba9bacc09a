// Every request, result and notification of the protocol as plain values. No JSON here: the mapping, and the only place that
// knows a JSON key, is codec. Times are UTC seconds since the epoch, durations are seconds unless the name says otherwise.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "proto/errors.hpp"

namespace wtpool::proto {

inline constexpr int kProtocolVersion = 1;

enum class Dirty { save, refuse, discard };  // on_dirty; `dirty` in slot.release
enum class LeaseKind { durable, connection, process };
enum class SlotState { fresh, idle, acquiring, held, recycling, quarantined };
// Why nothing of a commit is lacking in another, cheapest question first.
enum class MergedWay { same_commit, ancestor, no_added_changes, trees_match, merge_adds_nothing, patch_id };

[[nodiscard]] std::string_view to_text(Dirty value);
[[nodiscard]] std::string_view to_text(LeaseKind value);
[[nodiscard]] std::string_view to_text(SlotState value);
[[nodiscard]] std::string_view to_text(MergedWay value);
[[nodiscard]] std::optional<Dirty> dirty_from_text(std::string_view text);
[[nodiscard]] std::optional<LeaseKind> lease_kind_from_text(std::string_view text);

// How a request says which pool it means: by key, else by the caller's directory, else there is only one.
struct Scope {
  std::optional<std::string> pool;
  std::optional<std::string> cwd;  // absolute, as getcwd(3) gives it
};

// Which slot: exactly one of them, or none (then the slot that holds `cwd`). `target` is what a person typed: NAME or SLOT.
struct Target {
  std::optional<std::string> target;
  std::optional<std::string> name;
  std::optional<std::string> slot;
  std::optional<std::string> lease_id;
};

// ---- requests ----
struct HelloParams {
  int protocol = kProtocolVersion;
  std::string client;
  std::optional<std::string> root;  // the client's WORKTREE_ROOT, made absolute; refused when it is not the daemon's
};
struct PingParams {};
struct DiscoverParams {};
struct PoolInitParams {
  std::optional<std::string> pool;  // key; default: the repository's name
  std::string source;               // absolute
  std::optional<int> max_slots;
  std::vector<std::string> groups;
  std::optional<std::string> default_commit;
  std::optional<std::string> submodule_mirror_mode;
  std::optional<std::string> submodule_mirror_base;
};
struct PoolListParams {};
struct PoolRemoveParams {
  std::string pool;
};
struct AcquireParams {
  Scope scope;
  std::string name;
  std::optional<std::string> commit;
  std::optional<std::string> group;
  bool unique_sha = false;
  bool resume = false;
  bool replace = false;
  std::vector<std::string> exclude_submodule_tags;
  std::optional<std::int64_t> wait_ms;  // present = queue; 0 = without an end
  std::optional<std::int64_t> ttl_seconds;
  std::optional<std::int64_t> owner_pid;
  std::optional<LeaseKind> lease_kind;
  std::optional<std::string> key;
  bool confirm = false;
  std::optional<std::int64_t> deadline_ms;
  bool progress = false;
  bool verify = false;  // git looks at the tree, whatever is known of it
  bool ports = false;   // a range of ports that is this lease's alone
};
struct ConfirmParams {
  std::string lease_id;
  std::optional<std::int64_t> process_group;  // what runs under the lease, ended with it
};
struct ReleaseParams {
  Scope scope;
  Target target;
  std::optional<std::string> lease_id;  // beside a name or slot: the lease that must hold it
  std::optional<Dirty> dirty;
  bool delete_remote = false;
  bool wait = false;
  std::optional<std::int64_t> deadline_ms;
  bool progress = false;
  std::vector<std::int64_t> caller_pids;  // the client and its ancestors: never reported as left in the slot
};
struct RenewParams {
  Scope scope;
  Target target;
  std::optional<std::int64_t> ttl_seconds;
};
struct ResumeParams {  // a connection lease, after the daemon was restarted
  std::string lease_id;
  std::optional<std::int64_t> process_group;
};
struct SlotListParams {
  Scope scope;
  bool git_status = false;
};
struct SlotInspectParams {
  Scope scope;
  Target target;
};
struct SlotPathParams {
  Scope scope;
  Target target;
};
struct SlotRepairParams {
  Scope scope;
  std::string slot;
  bool discard = false;
};
struct SlotRemoveParams {
  Scope scope;
  std::string slot;
  bool discard = false;  // also what git ignores and nobody may have a second time
};
struct TrashListParams {
  Scope scope;
};
struct TrashRestoreParams {
  Scope scope;
  std::string id;
  std::optional<std::string> branch;
};
struct TrashDropParams {
  Scope scope;
  std::string id;
};
struct SubscribeParams {
  Scope scope;
};
struct HostStatusParams {};
struct HostDoctorParams {
  bool repair = false;
};
struct HostReloadParams {};
struct HostShutdownParams {};

using Params =
    std::variant<HelloParams, PingParams, DiscoverParams, PoolInitParams, PoolListParams, PoolRemoveParams, AcquireParams,
                 ConfirmParams, ReleaseParams, RenewParams, ResumeParams, SlotListParams, SlotInspectParams, SlotPathParams,
                 SlotRepairParams, SlotRemoveParams, TrashListParams, TrashRestoreParams, TrashDropParams, SubscribeParams,
                 HostStatusParams, HostDoctorParams, HostReloadParams, HostShutdownParams>;

// ---- results ----
struct HelloResult {
  int protocol = kProtocolVersion;
  std::string server;
  std::string instance_id;
  std::vector<std::string> features;
  std::map<std::string, std::int64_t> limits;
};
struct EmptyResult {};
struct DiscoverResult {};  // the document itself: the codec splices it in
struct PoolInitResult {
  std::string pool;
  std::string source;
  std::string root;  // the pool's directory
};
struct LeaseInfo {
  std::string id;
  LeaseKind kind = LeaseKind::durable;
  std::optional<std::int64_t> ttl_seconds;
  std::optional<std::int64_t> expires_at;
  std::optional<std::int64_t> owner_pid;
};
struct GitInfo {
  std::int64_t dirty = 0;
  std::int64_t untracked = 0;
  std::int64_t ahead = 0;
};
struct SlotInfo {  // one element of `ls --json`
  std::string pool;
  std::string slot;
  std::optional<std::string> group;
  std::string path;
  SlotState state = SlotState::fresh;
  std::optional<std::string> name;
  std::optional<std::string> branch;
  std::optional<std::string> full_sha;
  std::optional<std::int64_t> started_at;
  std::optional<std::int64_t> held_seconds;
  bool sealed = false;
  std::optional<std::string> reason;
  std::optional<LeaseInfo> lease;
  std::optional<GitInfo> git;
};
struct SlotListResult {
  std::vector<SlotInfo> slots;  // a bare array on the wire
};
struct SlotPathResult {
  std::string path;
};
struct AcquireResult {
  std::string pool;
  std::string slot;
  std::string path;
  std::string name;
  std::string branch;
  std::string full_sha;
  std::string lease_id;
  bool fresh = false;
  bool reused_commit = false;
  double waited_seconds = 0;
  std::optional<std::string> last_name;  // of who had the slot before
  std::optional<int> port_base;          // the first port of the lease; only when asked for
};
struct ReleaseResult {
  bool already = false;  // nothing was held: "already released"
  std::optional<std::string> slot;
  std::optional<std::string> trash_id;  // known when asked to wait, or when the branch had moved
};
struct RenewResult {
  std::optional<std::int64_t> expires_at;
};
struct PoolInfo {
  std::string pool;
  std::string source;
  int max_slots = 0;
  std::vector<std::string> groups;
  bool available = true;
  std::map<std::string, std::int64_t> slots;  // state → count
};
struct PoolListResult {
  std::vector<PoolInfo> pools;  // a bare array on the wire
};
struct TrashEntry {
  std::string id;
  std::string pool;
  std::string slot;
  std::string name;
  std::int64_t time = 0;
  std::vector<std::string> refs;
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::optional<std::int64_t> commits;  // that only this entry keeps
  std::optional<std::string> subject;   // of the last of them
};
struct TrashListResult {
  std::vector<TrashEntry> entries;  // a bare array on the wire
};
struct TrashRestoreResult {
  std::string branch;
};
struct StatusResult {
  std::int64_t pid = 0;
  std::string version;
  std::string socket;
  std::string root;
  double uptime_seconds = 0;
  std::vector<PoolInfo> pools;
  std::int64_t clients = 0;
  std::int64_t queue = 0;
};
struct DoctorCheck {
  std::string name;
  std::string status;  // ok | warn | error
  std::string detail;
  std::optional<std::string> hint;
};
struct DoctorResult {
  bool ok = true;
  std::vector<DoctorCheck> checks;
};

using Result = std::variant<EmptyResult, HelloResult, DiscoverResult, PoolInitResult, SlotListResult, SlotInfo, SlotPathResult,
                            AcquireResult, ReleaseResult, RenewResult, PoolListResult, TrashListResult, TrashRestoreResult,
                            StatusResult, DoctorResult>;

// ---- notifications, daemon to client ----
struct Progress {
  std::int64_t request = 0;  // the wire id, when it was a number
  std::string phase;         // resolving | fetching | queued | recycling | checkout | ...
  std::optional<int> percent;
  std::optional<std::int64_t> queue_position;
  std::optional<std::string> message;
};
struct Warning {  // said on the caller's stderr; changes nothing
  std::int64_t request = 0;
  std::string message;
};
struct EventNote {  // events.subscribe
  std::int64_t seq = 0;
  std::int64_t time = 0;
  std::string pool;
  std::optional<std::string> slot;
  std::string type;
  std::optional<std::string> name;
  std::optional<std::string> lease_id;
  std::optional<std::string> message;
  std::optional<std::int64_t> ticket;   // the queue's own sequence, in queued and dequeued
  std::optional<std::int64_t> dropped;  // how many a slow reader lost before this one
};
using Notification = std::variant<Progress, Warning, EventNote>;

}  // namespace wtpool::proto
