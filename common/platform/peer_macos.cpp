#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/platform/peer.hpp"

namespace wtpool::platform {

std::optional<Peer> peer_of(int socket_fd) {
  Peer peer;
  if (::getpeereid(socket_fd, &peer.uid, &peer.gid) != 0) return std::nullopt;
  pid_t pid = 0;
  socklen_t size = sizeof pid;
  if (::getsockopt(socket_fd, SOL_LOCAL, LOCAL_PEERPID, &pid, &size) == 0 && pid > 0) peer.pid = pid;
  return peer;
}

bool is_of_another_pid_namespace(const Peer&) { return false; }

}  // namespace wtpool::platform
