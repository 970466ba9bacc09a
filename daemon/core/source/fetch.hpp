// A commit is asked for at the source, and at its remote when it is not there or may be old.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void resolve(Turn& t, Request& request, Pool& pool);

// The request, or the pool's `fetch`, says that what the source knows of the commit may be old.
[[nodiscard]] bool needs_news(Turn& t, const Request& request, const Pool& pool);
// It waits for the next fetch of the source, see FetchLine.
void join_fetch(Turn& t, Request& request, Pool& pool);
// source.fetch: the same for who wants no slot.
void begin_fetch(Turn& t, Request& request, Pool& pool);
void leave_fetch(Turn& t, RequestId id);
void fetch_ended(Turn& t, const Job& job, const std::optional<Error>& error);
// True: the request looked whether a fetch which ran already had brought its id, found nothing, and waits on.
[[nodiscard]] bool looked_for_id(Turn& t, Request& request, const done::Resolved* found);

// Starts what is due, by the lines of the sources and by each pool's `fetch_interval`.
void look_after_fetches(Turn& t);
[[nodiscard]] std::optional<nanoseconds> next_fetch_due(const Host& host);

}  // namespace wtpool::core
