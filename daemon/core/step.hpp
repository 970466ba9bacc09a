// The one function that changes the state. Pure: same state, event and now, same effects. Called on the loop's thread alone.
// A success that grants or ends a lease is replied only while handling the event that reports the marker as durable.
#pragma once

#include "daemon/core/state/events.hpp"
#include "daemon/core/state/host.hpp"

namespace wtpool::core {

[[nodiscard]] Effects step(Host& host, const Event& event, Now now);

// When the next Tick is due, awake time; nothing when no deadline is pending.
[[nodiscard]] std::optional<nanoseconds> next_deadline(const Host& host);

// Every invariant of the state that can be checked without the disk; empty when all hold. For tests and debug builds.
[[nodiscard]] std::vector<std::string> broken_invariants(const Host& host);

}  // namespace wtpool::core
