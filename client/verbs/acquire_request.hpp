// What acquire and run have in common: asking for a slot, and giving it back when the user left meanwhile.
#pragma once

#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"

namespace wtpool::client {

// Throws bad_name: the daemon would see a name of broken bytes mended, so it is judged here as well. To be confirmed.
[[nodiscard]] proto::AcquireParams acquire_params(const AcquireCommand& command, const Context& context);

// --restore: NAME's last work becomes the branch that the acquire then resumes.
void restore_first(Connection& connection, const AcquireCommand& command, Context& context, Interrupts& interrupts);
[[nodiscard]] proto::AcquireResult acquire(Connection& connection, const proto::AcquireParams& params, Context& context,
                                           Interrupts& interrupts);

}  // namespace wtpool::client
