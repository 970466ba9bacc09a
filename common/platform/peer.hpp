// Who is at the other end of a Unix socket.
#pragma once

#include <sys/types.h>
#include <optional>

namespace wtpool::platform {

struct Peer {
  uid_t uid = 0;
  gid_t gid = 0;
  std::optional<pid_t> pid;  // where the system tells it
};

// SO_PEERCRED on Linux, getpeereid on macOS. Nothing when it cannot be told: then the peer is refused.
[[nodiscard]] std::optional<Peer> peer_of(int socket_fd);

// Does the peer count processes in another pid namespace than this program, as one in a container does to which the socket was
// mounted? Then its numbers mean nothing here, or somebody else. True also where that cannot be told.
[[nodiscard]] bool is_of_another_pid_namespace(const Peer& peer);

// Of a socket that was connected to a listener: has the process that listened there ended? Its socket lives on for moments,
// with nobody to accept, in a child of its own that has not come to its exec. False where it cannot be told.
[[nodiscard]] bool is_gone(const Peer& listener);

}  // namespace wtpool::platform
