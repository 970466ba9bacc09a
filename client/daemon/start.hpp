// Starting the daemon: once, however many clients want it, and so that it outlives them and whoever ended them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "client/daemon/endpoint.hpp"
#include "common/files/fd.hpp"
#include "common/host_paths.hpp"

namespace wtpool::client {

// A service manager's file for wtpoold: then starting it is the manager's business.
struct Service {
  std::filesystem::path file;
  std::string start_command;
};
[[nodiscard]] std::optional<Service> installed_service(const std::filesystem::path& home);

// `wtpoold` beside the running program, else in PATH. Throws unreachable when it is in neither.
[[nodiscard]] std::filesystem::path find_wtpoold();

// The daemon's whole environment: HOME PATH USER LANG XDG_* SSH_AUTH_SOCK of `inherited` (KEY=VALUE), WORKTREE_ROOT made
// absolute, WTPOOL_SOCKET when it was said.
[[nodiscard]] std::vector<std::string> daemon_environment(const std::vector<std::string>& inherited, const Endpoint& endpoint,
                                                          const HostPaths& paths);
[[nodiscard]] std::vector<std::string> own_environment();

struct Started {
  Fd socket;
  bool by_us = false;  // false: another client was faster
};
// Returns once it answers. Throws unreachable, with the last line the daemon said when it ended at once.
[[nodiscard]] Started start_daemon(const Endpoint& endpoint, const HostPaths& paths);

}  // namespace wtpool::client
