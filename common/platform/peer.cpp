#include "common/platform/peer.hpp"

#include <signal.h>

#include <cerrno>

namespace wtpool::platform {

bool is_gone(const Peer& listener) { return listener.pid && ::kill(*listener.pid, 0) != 0 && errno == ESRCH; }

}  // namespace wtpool::platform
