#include "client/daemon/detach.hpp"

namespace wtpool::client {

int detach(posix_spawnattr_t& attributes, posix_spawn_file_actions_t& actions, short flags) {
  if (const int failed = ::posix_spawn_file_actions_addclosefrom_np(&actions, 3)) return failed;
  return ::posix_spawnattr_setflags(&attributes, static_cast<short>(flags | POSIX_SPAWN_SETSID));
}

}  // namespace wtpool::client
