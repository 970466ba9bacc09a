// The state that `step` changes and nobody else: pools, slots, leases, requests, queues, jobs. Values in ordered containers, so
// that the same history gives the same state. Everything here lives on the loop's thread.
#pragma once

#include <array>
#include <map>
#include <set>

#include "daemon/core/state/fetch_line.hpp"
#include "daemon/core/state/land_line.hpp"
#include "daemon/core/state/slot.hpp"

namespace wtpool::core {

// What the host config sets; durations are awake time.
struct Settings {
  std::string root;
  std::string store;  // its directory
  std::size_t answering_limit = 2;
  std::size_t recycling_limit = 1;
  std::size_t background_limit = 1;
  std::size_t network_limit = 4;
  std::size_t ending_limit = 4;
  std::size_t queue_limit = 1024;  // waiters per pool
  std::optional<seconds> default_ttl;
  seconds trash_expiry{14 * 24 * 3600};
  seconds lock_patience{60};
  seconds recycle_wait{10};
  seconds resume_grace{30};
  seconds orphan_patience{10};
  std::size_t seal_watches = 0;  // directories watched in all; 0: nothing is sealed
  std::size_t seal_slots = 0;    // sealed at a time
  seconds tip_every{0};          // how often a pool's default commit is looked at; 0: never
  bool follow_tip = true;        // idle sealed slots at an earlier tip are brought along
  seconds mirror_quiet{600};     // nothing ran on a mirror for so long, before it is tidied up
  seconds hook_timeout{600};     // how long a client lets each hook run
  seconds seal_quiet{30};        // after something happened in a tree, before it is sealed again
};

enum class Stage {
  parked,     // waits for pools to be loaded
  resolving,  // Resolve job
  fetching,   // joined a Fetch
  waiting,    // for a slot that is being recycled, at most recycle_wait
  queued,     // --wait
  placed,     // Acquire job
  following,  // joined another request's acquire
  releasing,  // Release job
  recycling,  // release --wait
  filling,    // an entry of the store is made, by it or by another
  landing,    // looked at, or in the line of its target
  running,    // any other job
};

// Who does not want the answer any more, and why.
enum class Stop { none, cancelled, deadline, gone };

// The state of a `slot.acquire` beyond its params.
struct Acquiring {
  bool counted_arrival = false;
  bool looking = false;  // whether a fetch that ran already has brought the id it wants
  bool last_try = false;
  std::optional<Error> fetch_error;
  done::Resolved resolved;
  Oid full_sha;
  job::Acquire plan;           // mode, tip, tags; the lease is filled in when a slot is found
  std::uint64_t ticket = 0;    // order of arrival at the slots
  std::optional<SlotId> only;  // the slot that was asked for
  std::set<SlotId> passed;     // somebody else's lock is on them
  std::set<SlotId> set_aside;  // they failed for this request
  std::optional<Error> last_fault;
  std::optional<nanoseconds> wait_until;
  std::optional<std::int64_t> told_position;
  bool announced = false;  // `queued` was emitted
};

// The state of a `slot.sweep`.
struct Sweeping {
  std::vector<proto::SweepRow> rows;
  std::set<std::pair<PoolKey, SlotId>> releasing;
};

// The state of a `slot.land` beyond its params.
struct Landing {
  job::Landing what;
  SourceId source;
  bool tests = false;
  bool moving = false;  // its MoveLanding job was asked for: it comes to its end
  std::int64_t commits = 0;
  std::optional<std::size_t> told_place;
};

struct Request {
  RequestId id;
  SessionId session;
  proto::Params params;
  LeaseId lease_id;
  std::optional<Owner> owner;

  Stage stage = Stage::parked;
  Stop stop = Stop::none;
  nanoseconds arrived{0};
  std::optional<nanoseconds> deadline;
  PoolKey pool;               // once chosen
  bool reload_tried = false;  // it had an unavailable pool loaded again
  SlotId slot;
  bool looked = false;                        // slot.repair: the slot was read back for it
  std::optional<proto::PoolInitResult> made;  // pool.init: the pool stands, it is being loaded
  std::optional<Error> failed;                // pool.remove: the first slot that would not go
  std::set<JobId> jobs;                       // its own
  Acquiring acquire;
  std::optional<Landing> landing;
  std::vector<RequestId> followers;
  std::optional<RequestId> leader;
  std::optional<std::string> trash_id;                       // release --wait: what the release kept
  std::map<std::pair<PoolKey, SlotId>, proto::GitInfo> git;  // slot.list with git status
  std::string store_key;                                     // of a request to the store: the KEY, once it is known
  std::set<std::string> unfilled;                            // KEYs that could not be made for it
  bool deps_asked = false;                 // an acquire that waited for a dep: its commit is not fetched again
  std::vector<proto::DoctorCheck> healed;  // host.doctor with repair: what was done so far
  std::optional<Sweeping> sweeping;        // slot.sweep: what was found so far
};

struct Job {
  JobId id;
  JobClass job_class = JobClass::answering;
  JobSpec spec;
  PoolKey pool;
  std::vector<SlotId> slots;
  SourceId source;
  bool wants_writer = false;
  bool has_writer = false;
  bool started = false;
  bool stopping = false;
  std::optional<RequestId> request;
  std::optional<nanoseconds> deadline;
  std::uint64_t turn = 0;  // when it was started
};

struct Source {
  SourceId id;
  std::optional<JobId> writer;
  FetchLine line;              // who waits for which fetch
  std::optional<JobId> fetch;  // the one that runs
  nanoseconds fetch_began{0};
  std::optional<nanoseconds> last_all;         // the last good one of all branches: when it began
  std::optional<nanoseconds> tried_all;        // good or not
  std::map<std::string, nanoseconds> last_of;  // the last good one of a commit, as it was asked for
  bool untidy = false;                         // something was brought since it was tidied up
  std::optional<nanoseconds> quiet_since;      // nothing has run on it since then
  std::optional<JobId> tending;
  std::optional<std::int64_t> fetched_at;  // UTC seconds: the last good one of all
  std::map<std::string, LandLine> lines;   // of landings, by the short name of their target
};

// Where the default commit stands, and the last few hundred first parents behind it, each with its distance from there.
struct Tip {
  Oid at;  // empty: not known yet
  std::map<Oid, std::size_t> line;
  std::optional<nanoseconds> look_at;
  std::optional<JobId> job;
};

struct Pool {
  PoolKey key;
  std::string fingerprint;  // of the config that was last tried
  std::optional<PoolConfig> config;
  std::optional<PoolPlace> place;
  bool present = true;                    // its directory is there, on the device it was loaded from
  std::optional<Error> unavailable;       // why, when it is
  std::optional<std::string> bad_config;  // the config file is bad now; the last good one is used
  std::optional<JobId> load;
  bool load_again = false;               // something changed while it was being loaded
  std::optional<nanoseconds> lock_ends;  // until when its lock is tried for
  bool lock_waited = false;              // and was not had: nobody waits for it again until it is
  std::optional<nanoseconds> load_retry;
  std::map<SlotId, Slot> slots;
  std::vector<RequestId> queue;        // --wait, by ticket
  std::vector<RequestId> waiting;      // for recycling slots, by ticket; served after the queue
  bool unsettled = false;              // slots or waiters changed: serve again
  std::optional<nanoseconds> read_at;  // when slots are read back: somebody changed something
  std::optional<JobId> read_back;
  std::optional<RequestId> removing;
  std::optional<nanoseconds> next_expiry;
  Tip tip;

  [[nodiscard]] bool loading() const { return load.has_value() || load_retry.has_value(); }
  [[nodiscard]] bool ready() const { return config && place && present && !unavailable; }
};

// An entry of the store in the making: by a job, or by a client that runs its command. Everybody else waits.
struct Filling {
  std::optional<RequestId> asker;
  std::optional<JobId> job;
  std::optional<SessionId> client;
  std::string ticket;
  std::vector<RequestId> waiters;
};

struct Host {
  Settings settings;
  std::map<PoolKey, Pool> pools;
  std::map<SourceId, Source> sources;
  std::map<RequestId, Request> requests;
  std::map<std::string, Filling> fillings;            // by KEY
  std::map<SessionId, std::set<PoolKey>> changed_by;  // what a session changed: read back when it ends
  std::map<JobId, Job> jobs;
  std::array<std::set<JobId>, kJobClasses> unstarted;  // by class, in order of asking
  std::array<std::size_t, kJobClasses> running{};      // by class
  std::uint64_t next_job = 1;
  std::uint64_t next_ticket = 1;
  std::int64_t next_seq = 1;
  std::uint64_t turn = 0;
  bool draining = false;
  bool drained = false;
};

// For the app and reports.
[[nodiscard]] const Pool* find_pool(const Host& host, const PoolKey& key);
[[nodiscard]] std::vector<PoolKey> pool_keys(const Host& host);
[[nodiscard]] std::size_t waiting_count(const Host& host);  // queued and waiting acquires of all pools
[[nodiscard]] std::size_t lease_count(const Host& host);
[[nodiscard]] bool is_idle(const Host& host);  // no request, no job
[[nodiscard]] std::vector<const Slot*> slots_in_order(const Pool& pool);
[[nodiscard]] bool being_healed(const Host& host, const Slot& slot);  // a Heal job is on it: nobody gets it before that is over
[[nodiscard]] std::string slot_path(const Pool& pool, const SlotId& slot);

}  // namespace wtpool::core
