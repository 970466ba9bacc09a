// What watching and starting a child needs of the system. For the children of this process only.
#pragma once

#include <spawn.h>
#include <sys/types.h>

#include <span>

#include "common/files/fd.hpp"

namespace wtpool::platform {

// Readable when the child, reaped or not, has ended. Invalid where the system cannot say so: then it is asked now and then.
[[nodiscard]] Fd watch_child(pid_t child);

// Does a process of this group still run (zombies do not)?
[[nodiscard]] bool group_runs(pid_t group);

// Adds what makes a spawned program keep `inherited` (each at least 3) and 0 to 2, and nothing else. 0, or an errno.
[[nodiscard]] int keep_only(posix_spawnattr_t& attributes, posix_spawn_file_actions_t& actions, std::span<const int> inherited);

}  // namespace wtpool::platform
