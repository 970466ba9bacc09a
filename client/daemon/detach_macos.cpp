#include "client/daemon/detach.hpp"

namespace wtpool::client {

int detach(posix_spawnattr_t& attributes, posix_spawn_file_actions_t&, short flags) {
  return ::posix_spawnattr_setflags(&attributes, static_cast<short>(flags | POSIX_SPAWN_SETSID | POSIX_SPAWN_CLOEXEC_DEFAULT));
}

}  // namespace wtpool::client
