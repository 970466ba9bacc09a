// One turn of the loop, inside the room: the host, the frozen now, and the effects so far. The functions that `step` is made
// of, by file. Whoever holds a Request& must not use it after `answer` or `refuse`: they forget the request.
#pragma once

#include "daemon/core/rules/consequences.hpp"
#include "daemon/core/state/events.hpp"
#include "daemon/core/state/host.hpp"

namespace wtpool::core {

struct Turn {
  Host& host;
  Now now;
  Effects notes;                                  // Tell, Emit, Log: they go out before any answer of the turn
  Effects answers;                                // Reply, Refuse, and what follows
  std::vector<RequestId> again;                   // requests that begin anew once the event has been handled
  std::vector<std::pair<Job, JobOutcome>> unrun;  // jobs that will never run, with what became of them
};

// requests.cpp: arriving, answering, giving up
void arrive(Turn& t, const event::Request& event);
void begin(Turn& t, Request& request);
void answer(Turn& t, RequestId id, proto::Result result, std::optional<Durable> receipt = std::nullopt);
void refuse(Turn& t, RequestId id, Error error);
void tell(Turn& t, const Request& request, proto::Progress progress);
void warn(Turn& t, const Request& request, const std::string& message);
void emit(Turn& t, const Pool& pool, const Slot* slot, std::string type, const Lease* lease = nullptr,
          std::optional<std::string> message = std::nullopt);
void note(Turn& t, int level, std::string message);
void note_change(Turn& t, const Request& request);
[[nodiscard]] Request* find_request(Turn& t, RequestId id);
[[nodiscard]] Slot* find_slot(Turn& t, const PoolKey& pool, const SlotId& slot);
[[nodiscard]] nanoseconds after(nanoseconds start, seconds span);  // saturates

// ending.cpp: cancels, deadlines, sessions
void stop_request(Turn& t, RequestId id, Stop why);
void session_closed(Turn& t, SessionId session);
void owner_gone(Turn& t, const event::OwnerGone& event);
[[nodiscard]] Error stop_error(const Request& request, const std::string& waited_for);

// pools.cpp: which pools there are, loading them, choosing one
void pools_seen(Turn& t, const event::PoolsSeen& event);
void load_pool(Turn& t, Pool& pool);
void load_failed(Turn& t, Pool& pool, const JobFailed& failed);
void pool_loaded(Turn& t, Pool& pool, const done::LoadedPool& loaded, std::uint64_t read_at);
void wake_parked(Turn& t);
void ensure_slots(Pool& pool);
void start_read_back(Turn& t, Pool& pool);

// choose.cpp
struct Park {};
using Choice = std::variant<PoolKey, Error, Park>;
[[nodiscard]] Choice choose_pool(Turn& t, Request& request, const proto::Scope& scope);
// Nothing: no way to say which one; reports then speak of all.
[[nodiscard]] std::optional<PoolKey> infer_pool(const Host& host, const proto::Scope& scope);
struct Found {
  Slot* slot = nullptr;
  std::string asked;  // what was asked for, for messages
  bool by_slot = false;
};
[[nodiscard]] Found locate(Pool& pool, const proto::Target& target, const std::optional<std::string>& cwd);
[[nodiscard]] bool inside(const std::string& path, const std::string& root);

// acquire.cpp
void begin_acquire(Turn& t, Request& request, Pool& pool);
void resolved(Turn& t, Request& request, const done::Resolved& facts);
void place(Turn& t, RequestId id);
[[nodiscard]] std::optional<Error> check_name(Turn& t, Request& request, Pool& pool, bool commit_known, bool& given_back);

// acquired.cpp
void acquire_done(Turn& t, const Job& job, const done::Acquired& done);
void acquire_failed(Turn& t, const Job& job, const JobFailed& failed);
void give_back(Turn& t, RequestId id, const Pool& pool, const Slot& slot);
void lease_begins(Turn& t, Slot& slot);
[[nodiscard]] std::optional<nanoseconds> time_to_live(const Slot& slot, Now now);  // of its lease, from now on

// fetching.cpp
void resolve(Turn& t, Request& request, Pool& pool);
void join_fetch(Turn& t, Request& request, Pool& pool);
void fetch_ended(Turn& t, const Job& job, const std::optional<Error>& error);

// placement.cpp
[[nodiscard]] Slot* best_slot(const Host& host, Pool& pool, const std::optional<std::string>& group, const Acquiring& acquire);
[[nodiscard]] Slot* holder_of_commit(Pool& pool, const Oid& commit);
[[nodiscard]] Slot* holder_of_name(Pool& pool, const std::string& name);
[[nodiscard]] Slot* recovering_from(Pool& pool, const std::string& name);  // what a dead daemon did under that NAME

// queue.cpp
enum class Placed { placed, gone, blocked };
[[nodiscard]] Placed try_place(Turn& t, Request& request, Pool& pool);
void wait_or_refuse(Turn& t, Request& request, Pool& pool);
void serve(Turn& t, Pool& pool);
void leave_queue(Turn& t, Request& request);
void pass_over(Turn& t, Pool& pool, Slot& slot);         // another program has its lock: nobody who waits tries it for a while
void try_later(Turn& t, Slot& slot);                     // it failed for one who waits: he tries it again after a while
void may_be_had_again(Turn& t, Pool& pool, Slot& slot);  // that while is over, or somebody else has had it and given it back

// release.cpp
void begin_release(Turn& t, Request& request, Pool& pool);
void end_lease(Turn& t, Pool& pool, Slot& slot, Ending ending);
void start_release(Turn& t, Pool& pool, Slot& slot);
void processes_ended(Turn& t, const Job& job, const std::optional<JobFailed>& failed);
void release_done(Turn& t, const Job& job, const done::Released& done);
void release_failed(Turn& t, const Job& job, const JobFailed& failed);
void begin_renew(Turn& t, Request& request, Pool& pool);
void renewed(Turn& t, const Job& job, const std::optional<Error>& error);

// upkeep.cpp: recycle, recover, quarantine
void start_recycle(Turn& t, Pool& pool, Slot& slot);
// True: the slot is being recycled or recovered, which is never cut short, and the request begins anew when it is over.
[[nodiscard]] bool waits_for_upkeep(Request& request, Slot& slot);
void start_recover(Turn& t, Pool& pool, Slot& slot);
void quarantine(Turn& t, Pool& pool, Slot& slot, const std::string& reason, const std::string& doing);
void became_idle(Turn& t, Pool& pool, Slot& slot, const done::Idle& done);
void became_fresh(Turn& t, Pool& pool, Slot& slot);
void upkeep_done(Turn& t, const Job& job, const JobDone& done);
void upkeep_failed(Turn& t, const Job& job, const JobFailed& failed);

// sealing.cpp
void unseal(Turn& t, Pool& pool, Slot& slot, std::optional<nanoseconds> again);  // the core's part: the seal itself stays
void tree_stirred(Turn& t, const event::Unsealed& event);
void seal_ended(Turn& t, const Job& job, const JobOutcome& outcome);
void seal_gives_way(Turn& t, const PoolKey& pool, const std::vector<SlotId>& slots);
void look_after_seals(Turn& t);
[[nodiscard]] std::optional<nanoseconds> next_sealing(const Host& host);

// following.cpp
inline constexpr std::size_t kFarAway = static_cast<std::size_t>(-1);
[[nodiscard]] std::size_t distance_between(const Pool& pool, const Oid& a, const Oid& b);  // along the tip's line, or kFarAway
void tip_may_have_moved(Turn& t, Pool& pool);
void tip_seen(Turn& t, const Job& job, const JobOutcome& outcome);
void advance_ended(Turn& t, const Job& job, const JobOutcome& outcome);
void look_after_tips(Turn& t);
[[nodiscard]] std::optional<nanoseconds> next_look_at_tip(const Host& host);

// removal.cpp: repair, remove
void begin_repair(Turn& t, Request& request, Pool& pool);
void begin_remove_slot(Turn& t, Request& request, Pool& pool);
void begin_remove_pool(Turn& t, Request& request, Pool& pool);
void repair_ended(Turn& t, const Job& job, const JobOutcome& outcome);
void remove_ended(Turn& t, const Job& job, const JobOutcome& outcome);
void pool_removed(Turn& t, const Job& job, const std::optional<Error>& error);

// doctor.cpp
void begin_doctor(Turn& t, Request& request);
void heal_ended(Turn& t, const Job& job, const JobOutcome& outcome);

// apply.cpp: what reconcile decided
void apply_facts(Turn& t, Pool& pool, const SlotFacts& facts, bool first);

// report.cpp
void begin_list(Turn& t, Request& request);
void finish_list(Turn& t, Request& request);
void begin_inspect(Turn& t, Request& request, Pool& pool);
void begin_path(Turn& t, Request& request, Pool& pool);
[[nodiscard]] proto::SlotInfo slot_info(const Pool& pool, const Slot& slot, Now now);
[[nodiscard]] proto::PoolInfo pool_info(const Pool& pool);
[[nodiscard]] std::vector<const Slot*> slots_in_order(const Pool& pool);

// grants.cpp
JobId ask(Turn& t, JobClass job_class, JobSpec spec, const PoolKey& pool, std::vector<SlotId> slots = {},
          std::optional<RequestId> request = std::nullopt, bool writer = false);
void pump(Turn& t);
[[nodiscard]] bool may_start_now(const Host& host, JobClass job_class);  // one of that class, asked now
void stop_job(Turn& t, JobId id);
bool drop_unstarted(Turn& t, JobId id);  // true: it never ran, and is forgotten
void give_writer_back(Turn& t, Job& job);
[[nodiscard]] bool can_be_healed(const Slot& slot);                   // it is nobody's now
[[nodiscard]] bool being_healed(const Host& host, const Slot& slot);  // a Heal job is on it: nobody gets it before that is over

// jobs_done.cpp
// A job that will not run is given to finish_job with a failure of its own.
void finish_job(Turn& t, const Job& job, const JobOutcome& outcome);
void job_finished(Turn& t, const event::JobFinished& event);
void job_progress(Turn& t, const event::JobProgress& event);
void writer_released(Turn& t, const event::WriterReleased& event);

// timers.cpp
void tick(Turn& t);

// shutdown.cpp
void begin_shutdown(Turn& t);
void check_drained(Turn& t);

}  // namespace wtpool::core
