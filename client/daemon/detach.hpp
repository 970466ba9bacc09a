// What differs between systems when a child is to be started that keeps nothing of ours.
#pragma once

#include <spawn.h>

namespace wtpool::client {

// Own session, and no descriptor above stderr. Returns an errno value, 0 when done.
[[nodiscard]] int detach(posix_spawnattr_t& attributes, posix_spawn_file_actions_t& actions, short flags);

}  // namespace wtpool::client
