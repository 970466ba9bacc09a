#include <sys/socket.h>

#include "common/platform/peer.hpp"

namespace wtpool::platform {

std::optional<Peer> peer_of(int socket_fd) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket_fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 || size != sizeof credentials)
    return std::nullopt;
  // A socket that was never connected answers with nobody: all bits set.
  if (credentials.uid == static_cast<uid_t>(-1)) return std::nullopt;
  Peer peer{credentials.uid, credentials.gid, std::nullopt};
  if (credentials.pid > 0) peer.pid = credentials.pid;
  return peer;
}

}  // namespace wtpool::platform
