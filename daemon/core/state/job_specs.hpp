// What the core asks jobs to do, and what they report. A job reports facts; only `step` changes the state. Pure values.
#pragma once

#include "daemon/core/state/values.hpp"
#include "daemon/core/state/wants.hpp"

namespace wtpool::core {

// Answering jobs are what somebody waits for (never fewer than 2 threads); recycling follows; background comes last. Fetches
// run apart, with whatever else waits for others, and so does the ending of processes: neither holds a slot job up, nor a
// remote that hangs the end of a lease.
enum class JobClass { answering, recycling, background, network, ending };
inline constexpr std::size_t kJobClasses = 5;

// What a job saw of a lease, for a list or for a sweep to go by.
struct SweepFacts {
  proto::GitInfo info;
  std::optional<std::string> broken;   // why it cannot be looked at
  std::optional<std::string> process;  // that works in it, as a clause
  std::int64_t new_untracked = 0;      // files that are new since it was acquired
  bool moved = false;                  // its branch or HEAD stands elsewhere than at acquire
  bool compared = false;               // with a target
  std::optional<Oid> head;             // the ids it was judged by
  std::optional<Oid> tip;
};

namespace job {

// Takes (or keeps) the pool's lock, reads its config and every slot, marker, intent and quarantine record. Puts right what is
// the pool's own: cut entries and HEADs, unreadable indexes of held slots, removals that were cut off, `locked` of adopted
// slots.
struct LoadPool {
  PoolKey pool;
};
// One snapshot of what an acquire needs to know of the source. No lock, no slot.
struct Resolve {
  RequestId request;
  PoolKey pool;
  std::string commit;     // an expression, or the pool's default_commit
  std::string name;       // the branch to look for
  bool last_try = false;  // no fetch will follow: a miss is final
};
struct Fetch {
  PoolKey pool;  // any pool of the source: for its config
  SourceId source;
  Wants wants;
};
// Tidies a mirror up, see git::tend_mirror. With the source's writer.
struct TendMirror {
  PoolKey pool;  // any pool of the source
};
enum class BranchMode { create, resume, replace };
// Steps 5 to 8 of an acquire on a slot the core gave it. `grant.source_writer` is set when the slot is fresh; the job reports
// WriterReleased as soon as the entry stands. Done = the marker `held` is durable. Anything else = it rolled back itself,
// or could not and said `halfway`.
struct Acquire {
  RequestId request;
  Lease lease;
  BranchMode mode = BranchMode::create;
  std::optional<Oid> branch_tip;  // of the existing branch, for resume and replace
  bool fresh = false;
  std::optional<Oid> verified;  // git proved, in the job before this one, that the tree stands clean at this commit
  bool sealed = false;          // a seal says the same, if it still holds when the job looks
  bool verify = false;          // git looks, whatever a seal says
  bool prepares = false;        // the slot is to be frozen: refused where the disk cannot
  std::vector<std::string> exclude_submodule_tags;
  std::vector<WantedDep> deps;  // those that are not present are named, and what of them another commit has left goes
};
// Steps 2 to 4 of a release. Done = NAME is free and the marker says `releasing`, durably.
// The ids by which a lease was judged to be finished: whoever committed since then keeps his slot.
struct OnlyIf {
  std::optional<Oid> head;
  std::optional<Oid> tip;
};
struct Release {
  RequestId request;
  Lease lease;
  Dirty dirty = Dirty::save;
  std::vector<std::int64_t> caller_pids;  // never named as left in the slot
  std::optional<OnlyIf> only_if = {};  // released only if nothing has moved since, nothing is changed, and nobody works in it
};
// Before the release of a connection lease: ends what its command left running, its process group and whatever carries the
// lease in its environment. The slot is released, and handed on, only when none of them lives.
struct EndProcesses {
  LeaseId lease;
  std::optional<Owner> group;  // the leader of the command's process group
};
// Deletes a branch at the remote, with a deadline; nobody waits for it.
struct DeleteRemote {
  PoolKey pool;
  std::string name;
};
// Step 6 and 7: saves, clears, resets, cleans; the marker last.
struct Recycle {
  Lease lease;
  Dirty dirty = Dirty::save;
  std::string trash_id;
};
// A slot found with a marker `acquiring` or `releasing`, or an intent, whose daemon is gone: back to idle (or fresh), work
// saved first. `end_orphan`: patience with the git of the last daemon is over, end it if it is still that process.
struct Recover {
  SlotFacts facts;
  bool end_orphan = false;
  bool of_own = false;  // an acquire of this daemon: what its gits may have left in the source is known already
};
// A held slot whose marker on disk is not what memory says: writes it again.
struct RewriteMarker {
  Marker marker;
};
// Reads back `slots`, which no other job has. Entries of this pool that lost their pointers are written again before that.
struct ReadBack {
  PoolKey pool;
  std::vector<SlotId> slots;
};
// Writes the quarantine record. Touches nothing in the slot.
struct Quarantine {
  std::string reason;
  std::string doing;  // what was going on
};
// Proves an idle slot clean and watches it from then on. Touches nothing.
struct Seal {
  std::size_t watch_limit = 0;  // directories at most
};
// Where the pool's default commit stands, with the first parents behind it when that is not `known`. Touches nothing.
struct LookAtTip {
  PoolKey pool;
  Oid known;
};
// Brings an idle sealed slot to another commit, for the next who wants it. A slot that anybody touched since it was sealed
// stays.
struct Advance {
  Oid to;
};
// Takes a slot out of quarantine: saves what can be saved, verifies, recycles; ends idle, or fresh when nothing is left.
struct Repair {
  bool discard = false;
};
// Takes the slot away: entry, directory, init files. What is not kept elsewhere is saved first.
struct RemoveSlot {};
// After every slot is gone: the pool's files and its lock.
struct RemovePool {
  PoolKey pool;
};
struct InitPool {
  proto::PoolInitParams params;
};
// What `doctor --repair` does in a pool that is served: on slots that nobody has (fresh, idle, quarantined), and on what of the
// pool's own stands in the source. Reads those slots back.
struct Heal {
  PoolKey pool;
  std::vector<SlotId> slots;  // filled in when it starts
};
// The same for locks in the source that stop everybody; waits for those that are too young to be judged. No slot, no writer.
struct HealLocks {
  PoolKey pool;
};
// `git status` of slots, and how they stand to the target of their work; read-only. `whole`: all that a sweep goes by, its
// processes and submodules too.
struct GitStatus {
  struct Of {
    SlotId slot;
    std::string git_id;
    std::optional<Lease> lease;  // of one that is held
  };
  PoolKey pool;
  std::vector<Of> slots;
  bool whole = false;
};
// The hooks of the pool, and those of its repository at a commit: of the slot `git_id`, where one is said; else `commit`, else
// the pool's default commit. Runs none.
struct ReadHooks {
  PoolKey pool;
  std::string git_id;
  std::optional<Oid> commit;
};
struct ListTrash {
  std::vector<PoolKey> pools;
};
struct RestoreTrash {
  PoolKey pool;
  std::string id;
  std::optional<std::string> branch;
};
struct DropTrash {
  PoolKey pool;
  std::string id;
};
struct ExpireTrash {
  PoolKey pool;
  seconds age;
};

// What a verb of the store does, but for making an entry. With the slot that it is about, where it is about one.
struct StoreTask {
  proto::Params params;
  std::string key;  // the KEY, once it is known
};
// Makes an entry of the store. `temporary`: what a client's command printed, removed afterwards.
struct StoreFill {
  std::string key;
  std::string from;
  bool temporary = false;
};
// Brings an entry to the disk, so that it need not be compared after a power cut; collects what is over the limits.
struct StoreTidy {
  std::string key;
};
// What a landing is of: fixed when it gets in line.
struct Landing {
  std::string id;
  SlotId slot;
  std::string git_id;
  Lease lease;
  Oid tip;             // of the slot, when it was looked at
  std::string target;  // the branch, by its short name
  proto::LandStyle style = proto::LandStyle::merge;
  std::optional<std::string> message;
  bool push = false;
  bool follows = true;  // the slot's branch is brought along
};
// Whether the slot may land at all, and on what. Takes no slot; finishes what landings that were killed left in the source.
struct LookAtLanding {
  PoolKey pool;
  Landing landing;  // tip and target are filled in
  std::optional<std::string> into;
};
// The candidate, in the object store; pinned and on record.
struct MakeLanding {
  PoolKey pool;
  Landing landing;
  Oid base;  // empty: the target as it stands
  std::uint64_t version = 0;
  bool dry_run = false;  // nothing is pinned, and checkouts of the target are looked at
};
// The target moves to the candidate if it still stands at `base`; checkouts of it follow, then the slot's own branch.
struct MoveLanding {
  Landing landing;
  Oid base;
  Oid candidate;
};
// Pin and record of a landing that will not be.
struct DropLanding {
  PoolKey pool;
  std::string id;
};
// What landings that were killed left in the source.
struct RecoverLandings {
  PoolKey pool;
};
// Freezes a slot as its group's template: the one that `lease` holds and its holder has finished with, else an idle one.
struct MakeTemplate {
  RequestId request;
  std::optional<std::string> group;
  std::optional<Lease> lease;
  std::vector<std::int64_t> caller_pids;  // may stand in the slot
};
struct ListTemplates {
  std::vector<PoolKey> pools;
};
struct DropTemplate {
  PoolKey pool;
  std::string id;
};

}  // namespace job

using JobSpec =
    std::variant<job::LoadPool, job::Resolve, job::Fetch, job::Acquire, job::EndProcesses, job::Release, job::DeleteRemote,
                 job::Recycle, job::Recover, job::RewriteMarker, job::ReadBack, job::Quarantine, job::Seal, job::LookAtTip,
                 job::Advance, job::Repair, job::RemoveSlot, job::RemovePool, job::InitPool, job::GitStatus, job::ListTrash,
                 job::RestoreTrash, job::DropTrash, job::ExpireTrash, job::Heal, job::HealLocks, job::StoreTask, job::StoreFill,
                 job::StoreTidy, job::TendMirror, job::LookAtLanding, job::MakeLanding, job::MoveLanding, job::DropLanding,
                 job::RecoverLandings, job::MakeTemplate, job::ListTemplates, job::DropTemplate, job::ReadHooks>;

namespace done {

struct LoadedPool {
  PoolConfig config;
  PoolPlace place;
  std::vector<SlotFacts> slots;
  std::vector<std::string> warnings;
  std::optional<std::int64_t> fetched_at = {};  // UTC seconds: the last good fetch of ours, of an earlier daemon too
  bool landings_cut_off = false;                // at the first look: a kill left records of landings in the source
};
struct Resolved {
  std::optional<Oid> commit;                 // absent: unknown in the source
  std::optional<std::string> tracking_name;  // REMOTE/COMMIT, where that is known, and COMMIT at the last try is not
  Oid tree;
  std::optional<Oid> branch_tip;               // refs/heads/NAME
  std::optional<std::string> branch_conflict;  // an existing branch that is a prefix of NAME, or has NAME as prefix
  std::optional<std::string> checked_out_at;   // where NAME is checked out, or being rebased or bisected
  std::vector<WantedDep> deps;                 // of the pool, at that commit
  bool remote_branch = false;                  // refs/remotes/NAME is there: NAME may have been meant to be that
};
struct Fetched {
  bool nothing_to_fetch = false;  // the source has no remote
};
struct Acquired {
  Durable durable;
  std::string git_id;
  Lease lease;  // as in the marker (branch_base, full_sha of a resumed branch)
  Oid tree;
  bool reused_commit = false;                  // the tree stood at that commit already
  std::vector<std::string> warnings;           // said on the caller's stderr
  std::vector<std::string> missing_deps = {};  // names of deps that could not be placed after all
  proto::Creation creation = {};
  bool hooks = false;  // the pool or the commit may have some
};
struct Released {
  bool moved = false;               // commits were kept
  std::string trash_id;             // under which recycle goes on
  std::optional<std::string> kept;  // trash id when something was kept already
  bool entry_gone = false;          // nothing left to recycle: the slot is fresh
  std::vector<std::string> warnings;
  bool files_left = false;  // with entry_gone: but for what stands in its directory, which no git can look at any more
};
struct Idle {  // recycle, recover and repair end so
  Oid at;
  Oid tree;
  std::string git_id;
  std::optional<std::string> kept;  // trash id, when something was saved
  std::vector<std::string> warnings;
  bool occupied = false;     // processes still have their working directory in it: chosen last, not sealed
  std::string kept_at = {};  // of a repair: where, for a person
};
struct Fresh {  // nothing of the slot is left
  std::optional<std::string> kept;
  std::string kept_at = {};  // as above, of a removal too
};
struct Sealed {
  Oid at;
  Oid tree;
  std::size_t watches = 0;  // directories
};
struct NotSealed {
  enum class Why { busy, dirty, limit, unsupported };  // see git::NoSeal
  Why why = Why::busy;
  std::string text;
};
struct TipSeen {
  Oid tip;
  std::vector<Oid> line;  // from the tip on; empty when it is the known one
};
struct ReadSlots {
  std::vector<SlotFacts> slots;
};
struct Healed {
  std::vector<proto::DoctorCheck> did;  // what was done, and what was left and why
  std::vector<SlotFacts> slots;         // as they are now
  std::vector<SlotId> freed;            // of these nothing is left
};
struct StatusRead {
  std::vector<std::pair<SlotId, SweepFacts>> slots;  // without those that git could not look at, unless it was to be whole
};
struct Plain {};  // the job did what it was asked
struct PoolMade {
  proto::PoolInitResult result;
};
struct PoolRemoved {
  std::vector<std::string> warnings;  // what of it stays
};
struct HooksRead {
  proto::HooksResult result;  // without the slot and the time limit, which the core knows
};
struct TrashListed {
  std::vector<proto::TrashEntry> entries;
};
struct StoreDone {
  proto::Result result;
  std::vector<std::string> warnings;
  std::vector<std::pair<std::string, std::string>> events;  // type and message
};
struct StoreAbsent {};  // the entry is not in the store
struct StoreKeyed {     // the KEY that was asked for in another way
  std::string key;
};
struct StoreFilled {
  bool made = false;  // false: it was there, with the same content
};
struct TrashRestored {
  std::string branch;
  std::vector<std::string> warnings;
};

struct LandingLooked {
  job::Landing landing;
};
struct LandingMade {
  Oid base;       // what it was made on
  Oid candidate;  // empty where there is nothing to land, or a conflict
  std::int64_t commits = 0;
  bool nothing = false;
  std::optional<Error> refused;                // it does not go together with its base
  std::vector<proto::CheckoutInfo> checkouts;  // of a dry run
};
struct LandingMoved {
  Oid before;
  Oid after;
  std::vector<proto::CheckoutInfo> checkouts;
  std::optional<std::string> followed;
  bool pushed = false;
  bool clean = false;  // the slot is clean and has not moved since it was looked at
  std::vector<std::string> warnings;
};
struct LandingLost {  // the target does not stand at `base` any more
  Error why;
};
struct TemplateMade {
  proto::TemplateInfo made;
};
struct TemplatesListed {
  std::vector<proto::TemplateInfo> templates;
};

}  // namespace done

using JobDone =
    std::variant<done::Plain, done::LoadedPool, done::Resolved, done::Fetched, done::Acquired, done::Released, done::Idle,
                 done::Fresh, done::Sealed, done::NotSealed, done::TipSeen, done::ReadSlots, done::StatusRead, done::PoolMade,
                 done::TrashListed, done::TrashRestored, done::Healed, done::PoolRemoved, done::StoreDone, done::StoreAbsent,
                 done::StoreKeyed, done::StoreFilled, done::LandingLooked, done::LandingMade, done::LandingMoved,
                 done::LandingLost, done::TemplateMade, done::TemplatesListed, done::HooksRead>;

struct JobFailed {
  Fault fault = Fault::source_fault;
  Error error;
  bool halfway = false;  // of an Acquire: what it had begun is not all taken back; a Recover goes on as if its daemon had died
};

using JobOutcome = std::variant<JobDone, JobFailed>;

}  // namespace wtpool::core
