// What the core asks jobs to do, and what they report. A job reports facts; only `step` changes the state. Pure values.
#pragma once

#include "daemon/core/state/values.hpp"

namespace wtpool::core {

// Answering jobs are what somebody waits for (never fewer than 2 threads); recycling follows; background comes last. Fetches
// run apart, with whatever else waits for others, and so does the ending of processes: neither holds a slot job up, nor a
// remote that hangs the end of a lease.
enum class JobClass { answering, recycling, background, network, ending };
inline constexpr std::size_t kJobClasses = 5;

namespace job {

// Takes (or keeps) the pool's lock, reads its config and every slot, marker, intent and quarantine record. Touches nothing,
// except that an adopted slot without `locked` gets it.
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
  bool resume = false;    // where the branch is nowhere, what the trash keeps of that NAME is looked for
};
struct Fetch {
  PoolKey pool;  // any pool of the source: for its config
  SourceId source;
  std::optional<Oid> wanted;  // asked for by full id: fetched by id too, when refs do not bring it
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
  std::vector<std::string> exclude_submodule_tags;
};
// Steps 2 to 4 of a release. Done = NAME is free and the marker says `releasing`, durably.
struct Release {
  RequestId request;
  Lease lease;
  Dirty dirty = Dirty::save;
  std::vector<std::int64_t> caller_pids;  // never named as left in the slot
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
  std::vector<std::int64_t> caller_pids = {};  // who gave it back, and its ancestors: they occupy nothing
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
// Reads slots back without touching them: those of the grant-less list. Only slots no other job has.
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
struct RemoveSlot {
  bool discard = false;  // keep no ignored file either
};
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
// `git status` of slots, read-only.
struct GitStatus {
  RequestId request;
  PoolKey pool;
  std::vector<std::pair<SlotId, std::string>> slots;  // with their git ids
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

}  // namespace job

using JobSpec =
    std::variant<job::LoadPool, job::Resolve, job::Fetch, job::Acquire, job::EndProcesses, job::Release, job::DeleteRemote,
                 job::Recycle, job::Recover, job::RewriteMarker, job::ReadBack, job::Quarantine, job::Seal, job::LookAtTip,
                 job::Advance, job::Repair, job::RemoveSlot, job::RemovePool, job::InitPool, job::GitStatus, job::ListTrash,
                 job::RestoreTrash, job::DropTrash, job::ExpireTrash, job::Heal, job::HealLocks>;

namespace done {

struct LoadedPool {
  PoolConfig config;
  PoolPlace place;
  std::vector<SlotFacts> slots;
  std::vector<std::string> warnings;
};
struct Resolved {
  std::optional<Oid> commit;                 // absent: unknown in the source
  std::optional<std::string> tracking_name;  // REMOTE/COMMIT, where that is known, and COMMIT at the last try is not
  Oid tree;
  std::optional<Oid> branch_tip;               // refs/heads/NAME
  std::optional<std::string> branch_conflict;  // an existing branch that is a prefix of NAME, or has NAME as prefix
  std::optional<std::string> checked_out_at;   // where NAME is checked out, or being rebased or bisected
  std::optional<std::string> kept_as = {};     // trash id of NAME's last work, where it is resumed and has no branch
  std::optional<Oid> origin_tip = {};          // refs/remotes/origin/NAME
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
  bool reused_commit = false;         // the tree stood at that commit already
  std::vector<std::string> warnings;  // said on the caller's stderr
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
  bool occupied = false;     // something runs in it that is not the caller's: chosen last, not sealed
  std::string kept_at = {};  // of a repair: where, for a person
  bool stood_in = false;     // somebody has it for a working directory, and may have written since git looked
};
struct Fresh {  // nothing of the slot is left
  std::optional<std::string> kept;
  std::string kept_at = {};  // as above, of a removal too
  std::vector<std::string> warnings = {};
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
  std::vector<std::pair<SlotId, proto::GitInfo>> slots;
};
struct Plain {};  // the job did what it was asked
struct PoolMade {
  proto::PoolInitResult result;
  std::vector<std::string> warnings = {};
};
struct PoolRemoved {
  std::vector<std::string> warnings;  // what of it stays
};
struct TrashListed {
  std::vector<proto::TrashEntry> entries;
};
struct TrashRestored {
  std::string branch;
  std::vector<std::string> warnings;
};

}  // namespace done

using JobDone =
    std::variant<done::Plain, done::LoadedPool, done::Resolved, done::Fetched, done::Acquired, done::Released, done::Idle,
                 done::Fresh, done::Sealed, done::NotSealed, done::TipSeen, done::ReadSlots, done::StatusRead, done::PoolMade,
                 done::TrashListed, done::TrashRestored, done::Healed, done::PoolRemoved>;

struct JobFailed {
  Fault fault = Fault::source_fault;
  Error error;
  bool halfway = false;  // of an Acquire: what it had begun is not all taken back; a Recover goes on as if its daemon had died
};

using JobOutcome = std::variant<JobDone, JobFailed>;

}  // namespace wtpool::core
