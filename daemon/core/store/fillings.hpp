// Entries in the making: one fill a KEY, however many ask. The first who asks fills, by a job or by the command of its client;
// the others wait. When it fails, the next one tries what it has itself.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

[[nodiscard]] Filling* filling_of(Turn& t, const std::string& key);
// The request waits until the entry is made, or could not be.
void wait_for_filling(Turn& t, Request& request, const std::string& key);
// It makes it itself: from an archive or a directory. `temporary`: the file is removed afterwards.
void fill_from(Turn& t, Request& request, const std::string& key, const std::string& archive, bool temporary);
// Its client is to make it: returns the ticket under which it comes back.
std::string fill_by_client(Turn& t, Request& request, const std::string& key);
// The fill is over: whoever waited for it begins anew.
void end_filling(Turn& t, const std::string& key);

// Who waits or fills does not want it any more.
void leave_filling(Turn& t, RequestId id);
// A connection has ended: what its command was to make, the next one makes.
void filler_gone(Turn& t, SessionId session);

}  // namespace wtpool::core
