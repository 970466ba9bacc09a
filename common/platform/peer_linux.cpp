#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

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

namespace {

// How many pid namespaces, from the one of /proc on, have a number for that process; 0: not told. The file is everybody's to
// read, unlike what stands in /proc/PID/ns.
std::size_t namespaces_of(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("NSpid:")) continue;
    std::istringstream numbers(line.substr(6));
    return static_cast<std::size_t>(
        std::distance(std::istream_iterator<std::string>(numbers), std::istream_iterator<std::string>()));
  }
  return 0;
}

}  // namespace

// A process that has a number here is in this namespace or in one below it, and then it has more numbers.
bool is_of_another_pid_namespace(const Peer& peer) {
  const std::size_t own = namespaces_of(::getpid());
  return !peer.pid || (own != 0 && namespaces_of(*peer.pid) != own);
}

}  // namespace wtpool::platform
