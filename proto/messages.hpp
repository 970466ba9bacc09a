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
#include "proto/land_style.hpp"

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
  std::optional<std::string> reference;  // with a URL: a clone on this host whose objects need not be transferred
  bool progress = false;
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
  bool verify = false;              // git looks at the tree, whatever is known of it
  bool ports = false;               // a range of ports that is this lease's alone
  bool frozen_only = false;         // every dep must be in the store
  bool fetch = false;               // the source is fetched first, as with `fetch: always`
  bool reuse = false;               // a NAME that is held gives its lease back, a branch that exists is resumed
  std::optional<std::string> slot;  // this one alone
  bool prepares = false;            // the slot is to be frozen: refused where the pool's disk cannot clone
};
struct ConfirmParams {
  std::string lease_id;
  std::optional<std::int64_t> process_group;  // what runs under the lease, ended with it
};
struct ReleaseParams {
  Scope scope;
  Target target;
  std::optional<std::string> lease_id;  // beside a name or slot: the lease that must hold it
  std::optional<std::string> held_by;   // the caller's own lease: another one in its place is not ended
  std::optional<Dirty> dirty;
  bool delete_remote = false;
  bool keep_branch = false;
  bool wait = false;
  std::optional<std::int64_t> deadline_ms;
  bool progress = false;
  std::vector<std::int64_t> caller_pids;  // the client and its ancestors: never reported as left in the slot
};
struct SourceFetchParams {
  Scope scope;
  std::vector<std::string> commits;  // none: every branch
};
struct LandParams {
  Scope scope;
  Target target;
  std::optional<std::string> into;
  std::optional<LandStyle> style;
  std::optional<std::string> message;  // of the one commit of a squash
  std::optional<bool> test;            // the client tests each candidate; absent: where the pool has a test
  bool push = false;
  bool stay = false;     // the slot's branch stays where it is
  bool release = false;  // the slot is released, if it is clean and has not moved
  bool dry_run = false;
  std::optional<std::int64_t> wait_ms;
  bool progress = false;
};
struct LandTestedParams {
  std::string land_id;
  std::string candidate;
  bool passed = false;
  std::optional<std::string> why;
};
struct RenewParams {
  Scope scope;
  Target target;
  std::optional<std::string> held_by;  // the caller's own lease: another one in its place is not renewed
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
// ---- the store; none of these is of one pool: `scope` helps to tell which slot is meant ----
struct StorePlaceParams {
  static constexpr bool kOfStore = true;
  Scope scope;
  std::string key;
  std::optional<std::string> archive;  // absolute: a file or a directory
  std::string into;                    // absolute, its existing part without symlinks
  std::optional<std::string> mode;     // link | reflink | copy
  bool frozen_only = false;
  bool force = false;
  bool command = false;  // the client can run one that prints the archive
  std::optional<std::string> ticket;
  bool progress = false;
};
struct StoreAddParams {
  static constexpr bool kOfStore = true;
  Scope scope;
  std::string key;  // "-": the archive's SHA-256
  std::string archive;
  std::optional<std::string> dep;  // instead of the key
  bool progress = false;
};
struct StoreHasParams {
  std::vector<std::string> keys;
};
struct StoreListParams {};
struct StoreStatusParams {
  static constexpr bool kOfStore = true;
  Scope scope;
  std::optional<std::string> target;     // SLOT or NAME
  std::optional<std::string> directory;  // absolute
};
struct StoreThawParams {
  static constexpr bool kOfStore = true;
  Scope scope;
  std::vector<std::string> paths;  // absolute
};
struct StoreFreezeParams {
  static constexpr bool kOfStore = true;
  Scope scope;
  std::vector<std::string> paths;  // absolute
  bool discard = false;
};
struct StoreGcParams {
  bool dry_run = false;
  std::optional<std::int64_t> older_than_seconds;
  std::optional<std::int64_t> keep_bytes;
  std::optional<std::string> archives;  // a directory, absolute
};
struct StoreVerifyParams {
  std::optional<std::string> key;
};
struct StorePathParams {};
// The slot of a connection lease that its client has finished with, or an idle slot, becomes its group's template.
struct TemplateMakeParams {
  Scope scope;
  std::optional<std::string> lease_id;  // the held slot; else an idle one
  std::optional<std::string> slot;
  std::optional<std::string> commit;
  std::optional<std::string> group;
  std::vector<std::int64_t> caller_pids;  // the client and its ancestors: they may stand in the slot
  std::optional<std::int64_t> wait_ms;    // how long processes that are left in the slot are waited for
};
struct TemplateListParams {
  Scope scope;
};
struct TemplateDropParams {
  Scope scope;
  std::string id;
};
struct SubscribeParams {
  Scope scope;
};
struct AttachParams {  // this connection is a session of a durable lease, until it ends
  Scope scope;
  Target target;
  bool keep = false;  // the end of the last session releases nothing
};
struct LocateParams {  // what the caller's directory is, or what is named
  Scope scope;
  Target target;
};
struct SweepParams {
  Scope scope;
  std::vector<std::string> names;  // empty: all durable leases
  std::optional<std::int64_t> min_age_seconds;
  bool dry_run = false;
};
struct HooksGetParams {  // the hooks of a pool and of its repository, which clients run
  Scope scope;
  Target target;
  std::optional<std::string> commit;  // a full id; absent: HEAD of the slot, else the pool's default commit
};
struct HostStatusParams {};
struct HostDoctorParams {
  bool repair = false;
};
struct HostReloadParams {};
struct HostShutdownParams {};

using Params =
    std::variant<HelloParams, PingParams, DiscoverParams, PoolInitParams, PoolListParams, PoolRemoveParams, AcquireParams,
                 ConfirmParams, ReleaseParams, LandParams, LandTestedParams, RenewParams, ResumeParams, SlotListParams,
                 SlotInspectParams, SlotPathParams, SlotRepairParams, SlotRemoveParams, TrashListParams, TrashRestoreParams,
                 TrashDropParams, SubscribeParams, HostStatusParams, HostDoctorParams, HostReloadParams, HostShutdownParams,
                 StorePlaceParams, StoreAddParams, StoreHasParams, StoreListParams, StoreStatusParams, StoreThawParams,
                 StoreFreezeParams, StoreGcParams, StoreVerifyParams, StorePathParams, SourceFetchParams, AttachParams,
                 SweepParams, LocateParams, TemplateMakeParams, TemplateListParams, TemplateDropParams, HooksGetParams>;

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
struct MergedInfo {
  MergedWay reason = MergedWay::same_commit;
  std::string target;  // full name of the ref that lacks nothing of it
};
struct GitInfo {
  std::int64_t dirty = 0;
  std::int64_t untracked = 0;
  std::int64_t ahead = 0;
  std::optional<std::int64_t> behind;
  std::optional<MergedInfo> merged;
  std::optional<std::string> operation;  // merge rebase cherry-pick revert bisect, half done
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
  std::optional<std::int64_t> sessions;  // attached to its lease; absent from what older daemons send
};
struct SlotListResult {
  std::vector<SlotInfo> slots;  // a bare array on the wire
};
enum class SweepClass { broken, busy, dirty, merged, empty, young, ahead };
[[nodiscard]] std::string_view to_text(SweepClass value);
struct SweepRow {  // one element of `sweep --json`
  std::string pool;
  std::string slot;
  std::optional<std::string> name;
  SweepClass sweep_class = SweepClass::broken;
  std::optional<MergedInfo> merged;
  std::optional<std::int64_t> ahead;
  std::optional<std::int64_t> behind;
  std::optional<std::int64_t> dirty;
  std::optional<std::int64_t> untracked;
  bool released = false;
  std::optional<std::string> trash_id;
  std::string reason;  // one clause for a person: why it was released or kept
  std::optional<std::string> hint;
};
struct SweepResult {
  std::vector<SweepRow> rows;  // a bare array on the wire
};
struct AttachResult {
  std::optional<std::string> session;  // what the pool has set for a session to run
};
struct LocateResult {  // `whoami --json`
  std::string where;   // slot | source | none
  std::string path;    // of the slot or of the source's working tree; empty: none
  std::optional<std::string> source;
  std::optional<std::string> pool;
  std::optional<std::string> slot;
  std::optional<std::string> name;
  std::optional<std::string> branch;
  std::optional<std::string> lease_id;
  std::optional<std::string> base;    // the commit at which its branch began
  std::optional<std::string> target;  // what the pool's work is compared with
  std::optional<std::string> key;     // the idempotency key of the lease
};
struct HookInfo {
  std::string event;  // post_acquire pre_go pre_release pre_land post_land
  std::string from;   // pool | repository
  std::string command;
  std::string shell;  // sh | bash
  std::vector<std::string> programs;
  std::optional<std::string> problem;
};
struct HookFile {
  std::string path;
  std::string hex;
};
struct HooksResult {
  std::string source;
  std::string commit;
  std::vector<HookInfo> hooks;
  std::vector<HookFile> files;
  std::optional<std::string> problem;
  std::int64_t timeout_seconds = 600;
  std::optional<SlotInfo> held;
};
struct SlotPathResult {
  std::string path;
};
struct MissingDep {
  std::string name;
  std::string key;
};
struct LeftOut {
  std::string path;    // relative to the slot, without a trailing slash
  std::string reason;  // guard | path-bound | secret | changed | foreign | untracked | not-carried
  friend bool operator==(const LeftOut&, const LeftOut&) = default;
};
struct CarriedTotal {
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  friend bool operator==(const CarriedTotal&, const CarriedTotal&) = default;
};
// How a slot came about. A daemon that says nothing of it leaves all of it out.
struct Creation {
  std::optional<std::string> created;  // snapshot | reflink | checkout; absent of a slot that was there
  CarriedTotal carried;
  std::vector<LeftOut> left_out;
  std::vector<std::string> stale;  // carried paths whose guard differs from the commit that the slot stood at
  friend bool operator==(const Creation&, const Creation&) = default;
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
  std::optional<std::int64_t> fetched_at;               // of our own last fetch of the source
  std::optional<int> port_base;                         // the first port of the lease; only when asked for
  std::optional<bool> hooks;                            // there are some to ask for with hooks.get, before it is confirmed
  std::optional<std::vector<MissingDep>> missing_deps;  // of a pool with deps: those that could not be had
  std::optional<Creation> creation;
};
struct ReleaseResult {
  bool already = false;  // nothing was held: "already released"
  std::optional<std::string> slot;
  std::optional<std::string> trash_id;  // known when asked to wait, or when the branch had moved
};
struct SourceFetchResult {
  std::optional<std::int64_t> fetched_at;
};
struct CheckoutInfo {
  std::string path;
  bool synced = false;
};
struct LandResult {
  std::string pool;
  std::string name;
  std::string target;
  std::string before;
  std::string after;
  LandStyle style = LandStyle::merge;
  std::int64_t commits = 0;
  bool tested = false;
  std::int64_t tries = 1;
  std::vector<CheckoutInfo> checkouts;  // of the target
  bool pushed = false;
  std::optional<std::string> followed;  // the slot's branch, when it was brought to `after`
  bool released = false;
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
  std::optional<std::string> url;             // of a mirror
  bool managed = false;                       // the source is a mirror that wtpool keeps
  std::optional<std::int64_t> fetched_at;     // of our own last fetch of the source
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
};
struct TrashListResult {
  std::vector<TrashEntry> entries;  // a bare array on the wire
};
struct CarriedPath {
  std::string path;
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::vector<std::string> guards;
};
struct TemplateInfo {
  std::string pool;
  std::optional<std::string> group;
  std::string id;
  std::string commit;
  std::int64_t made_at = 0;
  std::string slot;
  std::string create;
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::int64_t disk_bytes = 0;
  std::vector<CarriedPath> carried;
  std::vector<LeftOut> left_out;
  bool in_use = true;
  bool damaged = false;
};
struct TemplateListResult {
  std::vector<TemplateInfo> templates;  // a bare array on the wire
};
struct TrashRestoreResult {
  std::string branch;
};
struct StorePlaceResult {
  std::string key;
  std::string mode;                     // what was done in the end
  std::int64_t links = 0;               // grafts that stand
  std::vector<std::string> overridden;  // something else stands there, and stayed
  std::optional<std::string> ticket;    // nothing was placed: the client is to run its command, stdout into `file`
  std::optional<std::string> file;
};
struct StoreAddResult {
  std::string key;
  bool made = false;
};
struct StoreEntryInfo {  // one element of `store ls --json`
  std::string key;
  std::optional<std::string> sha256;
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::int64_t made_at = 0;
  std::int64_t used_at = 0;
  std::int64_t roots = 0;
  bool synced = false;
};
struct StoreListResult {
  std::vector<StoreEntryInfo> entries;  // a bare array on the wire
};
struct StoreLinkInfo {
  std::string path;
  std::string state;  // ok | gone | overridden | thawed | dangling
};
struct StoreGraftInfo {
  std::string key;
  std::string mode;
  std::string state;  // placed | incomplete | missing
  std::vector<StoreLinkInfo> links;
  std::optional<std::string> drift;  // of a dep: its KEY at the slot's HEAD, where that is another
};
struct StoreStatusResult {
  std::optional<std::string> pool;
  std::optional<std::string> slot;
  std::string path;
  std::vector<StoreGraftInfo> entries;
};
struct StoreKeptInfo {
  std::string key;
  std::string why;
};
struct StoreGcResult {
  std::vector<std::string> removed;
  std::int64_t bytes = 0;
  std::vector<StoreKeptInfo> kept;
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
                            AcquireResult, ReleaseResult, LandResult, RenewResult, PoolListResult, TrashListResult,
                            TrashRestoreResult, StatusResult, DoctorResult, StorePlaceResult, StoreAddResult, StoreListResult,
                            StoreStatusResult, StoreGcResult, SourceFetchResult, SweepResult, AttachResult, LocateResult,
                            TemplateInfo, TemplateListResult, HooksResult>;

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
struct CandidateNote {  // of slot.land: the commit that is to be tested now; whatever was to be tested before is not asked for
  std::int64_t request = 0;
  std::string land_id;
  std::string name;
  std::string candidate;
  std::string target;
  std::string pool;
  std::optional<std::string> test;  // the pool's command
  std::optional<std::string> path;  // where it stands checked out: the slot itself
  std::int64_t position = 0;        // how many land before it
};
using Notification = std::variant<Progress, Warning, EventNote, CandidateNote>;

}  // namespace wtpool::proto
