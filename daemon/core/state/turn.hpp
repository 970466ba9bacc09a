// One turn of the loop, inside the room: the host, the frozen now, and the effects so far. A handler never calls what called
// it: it leaves it in the turn. `answer` and `refuse` forget the request they answer; whatever else a handler holds stays.
#pragma once

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

void answer(Turn& t, RequestId id, proto::Result result, std::optional<Durable> receipt = std::nullopt);
void refuse(Turn& t, RequestId id, Error error);
void tell(Turn& t, const Request& request, proto::Progress progress);
void warn(Turn& t, const Request& request, const std::string& message);
// `id` is the trash id of the work that was found in `slot`, `where` the place it was saved at.
void tell_kept(Turn& t, const Request& request, const Slot& slot, const std::optional<std::string>& id,
               const std::string& where);
void emit(Turn& t, const Pool& pool, const Slot* slot, std::string type, const Lease* lease = nullptr,
          std::optional<std::string> message = std::nullopt);
void emit_of_host(Turn& t, std::string type, std::string message);  // of no pool
void note(Turn& t, int level, std::string message);
void note_change(Turn& t, const Request& request);
[[nodiscard]] Request* find_request(Turn& t, RequestId id);
[[nodiscard]] Slot* find_slot(Turn& t, const PoolKey& pool, const SlotId& slot);
[[nodiscard]] bool any_loading(const Host& host);
void park(Request& request);  // until the pools that are being loaded are

}  // namespace wtpool::core
