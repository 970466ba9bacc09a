#include "client/daemon/endpoint.hpp"

#include <poll.h>

#include <chrono>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "client/daemon/start.hpp"

namespace wtpool::client {
namespace {

using namespace std::chrono_literals;
using proto::Error;
using proto::ErrorKind;
using std::chrono::steady_clock;

// A socket file that was removed is back within 10 s; a daemon that is being stopped is gone by then, too.
constexpr auto kListenLimit = 12s;
constexpr auto kGreetLimit = 2s;

// As long as a daemon holds the lock and says it listens there, it will; nothing when there is none any more.
std::optional<Fd> wait_until_it_listens(const Endpoint& endpoint, const HostPaths& paths) {
  const auto end = steady_clock::now() + kListenLimit;
  while (true) {
    if (auto socket = connect_to(endpoint.socket)) return socket;
    const auto running = running_instance(paths.instance_lock);
    if (!running || running->socket != endpoint.socket.string()) return std::nullopt;
    if (steady_clock::now() >= end) return std::nullopt;
    ::poll(nullptr, 0, 50);
  }
}

bool environment_forbids() {
  const char* value = std::getenv("WTPOOL_NO_SPAWN");
  return value && std::string_view(value) == "1";
}

Error nobody_there(const Endpoint& endpoint, const HostPaths& paths) {
  std::string why = "nothing listens there";
  if (const auto running = running_instance(paths.instance_lock)) {
    why += "; process " + std::to_string(running->pid) + " is this user's daemon, at " + running->socket;
  }
  const auto service = installed_service(paths.home);
  return {ErrorKind::unreachable, "cannot reach the daemon at " + endpoint.socket.string() + ": " + why,
          service ? service->start_command : "wtpool daemon start"};
}

// Nothing where the daemon went away before it had been asked anything.
std::optional<Opened> greet(Fd socket, const Endpoint& endpoint, const HostPaths& paths, bool started) {
  Connection connection(std::move(socket), endpoint.socket);
  if (!connection.hello(paths.root_from_env)) return std::nullopt;
  return Opened{std::move(connection), endpoint.socket, started};
}

Error lost(const Endpoint& endpoint) {
  return {ErrorKind::unreachable, "lost the daemon at " + endpoint.socket.string() + ": it closed the connection",
          "wtpool doctor"};
}

// Asks until there is an answer, even if it is that there is nobody: a daemon that ends, or has all the connections that it
// takes, may be followed by another, or have room, in a moment.
template <class Try>
std::optional<Opened> try_again(const Endpoint& endpoint, const Try& once) {
  const auto end = steady_clock::now() + kGreetLimit;
  for (auto pause = 50ms;; pause *= 2) {
    bool closed = false;
    auto opened = once(closed);
    if (opened || !closed) return opened;
    if (steady_clock::now() >= end) throw lost(endpoint);
    ::poll(nullptr, 0, static_cast<int>(pause.count()));
  }
}

bool must_not_start(const HostPaths& paths) { return environment_forbids() || installed_service(paths.home); }

std::optional<Opened> start_one(const Endpoint& endpoint, const HostPaths& paths) {
  // A daemon that was found there has gone: one that we start listens at the usual place, not where that one did.
  const Endpoint fresh = endpoint.said ? endpoint : Endpoint{paths.default_socket, false};
  Started started = start_daemon(fresh, paths);
  return greet(std::move(started.socket), fresh, paths, started.by_us);
}

}  // namespace

Endpoint find_endpoint(const Globals& globals, const HostPaths& paths) {
  if (globals.socket) return {expand_path(*globals.socket, std::filesystem::current_path()), true};
  if (paths.socket_from_env) return {*paths.socket_from_env, true};
  if (const auto running = running_instance(paths.instance_lock); running && !running->socket.empty()) {
    return {running->socket, false};
  }
  return {paths.default_socket, false};
}

std::optional<Opened> open_running_daemon(const Globals& globals, const HostPaths& paths) {
  const Endpoint first = find_endpoint(globals, paths);
  return try_again(first, [&](bool& closed) -> std::optional<Opened> {
    const Endpoint endpoint = find_endpoint(globals, paths);
    auto socket = wait_until_it_listens(endpoint, paths);
    if (!socket) return std::nullopt;
    auto opened = greet(std::move(*socket), endpoint, paths, false);
    closed = !opened;
    return opened;
  });
}

Opened open_daemon(const Globals& globals, const HostPaths& paths, Start start) {
  const Endpoint first = find_endpoint(globals, paths);
  bool begun = false;  // one that ends before it answers does so again
  auto opened = try_again(first, [&](bool& closed) -> std::optional<Opened> {
    const Endpoint endpoint = find_endpoint(globals, paths);
    auto socket = wait_until_it_listens(endpoint, paths);
    if (!socket && std::exchange(begun, true)) throw lost(endpoint);
    if (!socket && (start == Start::never || (start == Start::if_needed && must_not_start(paths))))
      throw nobody_there(endpoint, paths);
    auto found = socket ? greet(std::move(*socket), endpoint, paths, false) : start_one(endpoint, paths);
    closed = !found;
    return found;
  });
  return std::move(*opened);
}

std::optional<Opened> open_at_once(const Globals& globals, const HostPaths& paths) {
  const Endpoint endpoint = find_endpoint(globals, paths);
  if (auto socket = connect_to(endpoint.socket)) return greet(std::move(*socket), endpoint, paths, false);
  if (must_not_start(paths) || running_instance(paths.instance_lock)) return std::nullopt;
  return start_one(endpoint, paths);
}

}  // namespace wtpool::client
