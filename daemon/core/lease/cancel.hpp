// Requests that nobody wants any more.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

void stop_request(Turn& t, RequestId id, Stop why);
void session_closed(Turn& t, SessionId session);
void owner_gone(Turn& t, const event::OwnerGone& event);
[[nodiscard]] Error stop_error(const Request& request, const std::string& waited_for);

}  // namespace wtpool::core
