// A slot as the core knows it. Lives on the loop's thread, within the host's state.
#pragma once

#include <set>

#include "daemon/core/state/job_specs.hpp"
#include "daemon/core/state/slot_ids.hpp"

namespace wtpool::core {

// Steady phases have no job of their own that changes the slot; the others wait for theirs.
enum class Phase {
  fresh,        // not made yet
  idle,         // free, detached, no marker
  making,       // a MakeSlot job makes it, for nobody yet; shown as recycling
  acquiring,    // an Acquire job has it, or waits for it
  held,         // leased
  releasing,    // a Release job is on it; the lease still counts, and is shown as held
  recycling,    // NAME is free, the marker says `releasing`
  recovering,   // found half-done at load; shown as recycling
  repairing,    // quarantined, and a Repair job is on it
  removing,     // a RemoveSlot job is on it
  quarantined,  // not handed out until a person looked
};

// Whether the record of a quarantine may be written for a slot in this phase: what was judged has not been put right since.
constexpr bool may_record_quarantine(Phase phase) {
  return phase == Phase::quarantined || phase == Phase::repairing || phase == Phase::removing;
}

// How a lease comes to its end; names the event that says so.
enum class Ending { none, released, expired, rolled_back };

// A lease that is being released because it was judged to be finished.
struct Judged {
  job::OnlyIf ids;
  std::optional<RequestId> sweep;  // who is told
};

struct Slot {
  SlotId id;
  std::optional<std::string> group;
  int number = 0;
  Phase phase = Phase::fresh;
  std::string git_id;  // empty when there is no entry

  // The tree as the last job left it.
  std::optional<Oid> at;
  Oid tree;
  bool sealed = false;
  std::size_t watches = 0;             // of the seal: directories
  std::optional<nanoseconds> seal_at;  // when sealing is tried; absent: not before the slot was used again
  bool stirred = false;                // something happened in the tree since its Seal job was asked for
  Oid kept_back_from;                  // the tip that it was tried to bring it to
  bool occupied = false;
  std::uint64_t last_used = 0;  // the host's turn
  std::uint64_t verified = 0;   // the turn in which a job reported it clean: who gets it in that turn need not look again

  // The lease: acquiring, held, releasing; kept while recycling for the job's sake alone.
  std::optional<Lease> lease;
  std::optional<Durable> receipt;        // of the marker that holds the lease; absent when it was found on disk
  std::optional<std::string> branch;     // checked out when last seen
  std::set<SessionId> sessions;          // the last one's end is the lease's end: connection leases and unconfirmed ones
  std::set<SessionId> attached;          // sessions of a durable lease
  bool stays = false;                    // the end of its last session releases nothing
  std::optional<nanoseconds> look_at;    // when a lease without sessions, which a process kept busy, is looked at again
  std::optional<Judged> judged;          // releasing, because it was finished
  bool unconfirmed = false;              // granted to a client that has not confirmed it yet
  std::optional<nanoseconds> ends;       // TTL, or the grace of a connection lease found at load
  std::optional<Owner> process_group;    // of a connection lease: the leader of its command's group
  bool processes_ended = false;          // of a connection lease that is ending
  bool directory_gone = false;           // a held slot without its directory
  bool fresh_made = false;               // the running acquire makes it
  bool reused_commit = false;            // of the acquire that made the lease
  std::optional<RequestId> acquire;      // whose Acquire job is on it
  Ending ending = Ending::none;          // set when the lease's end was asked for
  Dirty ending_dirty = Dirty::save;      // what the Release job was asked
  bool ending_keeps_branch = false;      // releasing: the branch stays at its tip
  std::string trash_id;                  // recycling: where work goes
  std::vector<RequestId> releases;       // who waits for the Release job
  std::vector<RequestId> recycle_waits;  // `release --wait`: who waits for idle

  // Failing and looking again.
  int faults = 0;                          // consecutive
  int attempts = 0;                        // of the job that is being repeated
  std::optional<nanoseconds> retry_at;     // when that job is started again
  std::optional<nanoseconds> orphan_ends;  // until when an orphan's git is waited for
  SlotFacts facts;                         // recovering: what was found
  bool of_own = false;                     // recovering: from an acquire of this daemon
  std::string reason;                      // quarantined: why
  Phase before_removing = Phase::idle;

  std::optional<JobId> job;   // the one started job that may touch it
  std::uint64_t changed = 0;  // turn of the last change of phase or end of a job: older readings do not count
};

[[nodiscard]] bool can_be_healed(const Slot& slot);                                // it is nobody's now
[[nodiscard]] std::optional<nanoseconds> time_to_live(const Slot& slot, Now now);  // of its lease, from now on

}  // namespace wtpool::core
