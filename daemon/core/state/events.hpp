// What happens to the core, and what it wants done. Pure values: `step` turns one event into effects.
#pragma once

#include <memory>

#include "daemon/core/state/job_specs.hpp"

namespace wtpool::core {

namespace event {

// A request, decoded, and what the pure core cannot make itself. NAME's form is already checked (all but slot ids).
struct Request {
  RequestId id;
  SessionId session;
  proto::Params params;
  LeaseId lease_id;            // random, for the lease an acquire may make
  std::optional<Owner> owner;  // of owner_pid or process_group, when asked; absent = no such process
};
struct Cancel {
  RequestId id;
};
struct SessionClosed {
  SessionId id;
};
// The pools that stand below the root now, seen before each request. A changed fingerprint means a changed config file.
struct PoolsSeen {
  struct Pool {
    PoolKey key;
    std::string fingerprint;   // of .meta/config.yaml
    std::uint64_t device = 0;  // st_dev of the pool's directory
  };
  std::vector<Pool> pools;
};
struct JobFinished {
  JobId job;
  JobOutcome outcome;
};
struct JobProgress {
  JobId job;
  std::string phase;
  std::optional<int> percent;
};
struct WriterReleased {  // a job gave its source-writer token back before its end
  JobId job;
  std::string git_id;  // the entry it made
};
struct OwnerGone {  // the process of a process lease ended
  LeaseId lease;
};
struct Unsealed {  // something happened in the tree of a sealed slot
  PoolKey pool;
  SlotId slot;
};
struct Tick {};      // a deadline that `next_deadline` named has come
struct Shutdown {};  // SIGTERM or host.shutdown: no new work, leases kept

}  // namespace event

using Event =
    std::variant<event::Request, event::Cancel, event::SessionClosed, event::PoolsSeen, event::JobFinished, event::JobProgress,
                 event::WriterReleased, event::OwnerGone, event::Unsealed, event::Tick, event::Shutdown>;

namespace effect {

struct Reply {
  RequestId request;
  proto::Result result;
  std::optional<Durable> receipt;  // present in every reply that grants a lease
};
struct Refuse {
  RequestId request;
  Error error;
};
struct Tell {  // progress and warnings of one request
  RequestId request;
  proto::Notification note;
};
struct Emit {  // the event stream; `seq` and `time` are filled in by the core
  proto::EventNote note;
};
struct StartJob {
  Grant grant;
  JobClass job_class = JobClass::answering;
  JobSpec spec;
  std::optional<nanoseconds> deadline;  // awake time
};
struct StopJob {  // asks it to stop; it still finishes with an outcome
  JobId job;
};
struct WatchOwner {
  LeaseId lease;
  Owner owner;
};
struct UnwatchOwner {
  LeaseId lease;
};
struct DropSeal {  // of a slot that is not idle any more, or whose watches another one needs
  PoolKey pool;
  SlotId slot;
};
struct Log {
  int level = 1;  // 0 debug, 1 info, 2 warning, 3 error
  std::string message;
};
struct Drained {};  // after Shutdown: nothing runs any more, the daemon may end

}  // namespace effect

using Effect = std::variant<effect::Reply, effect::Refuse, effect::Tell, effect::Emit, effect::StartJob, effect::StopJob,
                            effect::WatchOwner, effect::UnwatchOwner, effect::DropSeal, effect::Log, effect::Drained>;
using Effects = std::vector<Effect>;

}  // namespace wtpool::core
