// Where the daemon is, and a connection to it, started first if need be. Throws proto::Error: unreachable, permission_denied
// (the socket's directory), root_mismatch, io_error (a path too long for a socket).
#pragma once

#include <filesystem>
#include <optional>

#include "client/cli/options.hpp"
#include "client/daemon/connection.hpp"
#include "common/host_paths.hpp"

namespace wtpool::client {

struct Endpoint {
  std::filesystem::path socket;
  bool said = false;  // by --socket or $WTPOOL_SOCKET: a daemon started for us listens there, too
};

// --socket, else $WTPOOL_SOCKET, else where the running daemon says it listens, else the usual place.
[[nodiscard]] Endpoint find_endpoint(const Globals& globals, const HostPaths& paths);

enum class Start {
  never,
  if_needed,  // unless $WTPOOL_NO_SPAWN is 1 or a service manager is in charge
  always,
};

struct Opened {
  Connection connection;
  std::filesystem::path socket;
  bool started = false;  // by us, just now
};

// Connected and greeted. A daemon that holds its instance lock, but does not listen yet or just now, is waited for.
[[nodiscard]] Opened open_daemon(const Globals& globals, const HostPaths& paths, Start start);
// The same with what runs now; nothing when none does.
[[nodiscard]] std::optional<Opened> open_running_daemon(const Globals& globals, const HostPaths& paths);
// What can be done about it in this moment, the start of a daemon included; nothing when another try may fare better: one
// ends, or starts, or there is none and none is to be started.
[[nodiscard]] std::optional<Opened> open_at_once(const Globals& globals, const HostPaths& paths);

}  // namespace wtpool::client
