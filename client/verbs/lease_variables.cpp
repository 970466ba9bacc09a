#include "client/verbs/lease_variables.hpp"

namespace wtpool::client {

std::vector<std::pair<std::string, std::optional<std::string>>> lease_variables(const proto::AcquireResult& lease,
                                                                                const std::filesystem::path& socket) {
  return {{"WTPOOL_POOL", lease.pool},
          {"WTPOOL_SLOT", lease.slot},
          {"WTPOOL_PATH", lease.path},
          {"WTPOOL_NAME", lease.name},
          {"WTPOOL_LEASE", lease.lease_id},
          {"WTPOOL_SOCKET", socket.string()},
          {"WTPOOL_FRESH", lease.fresh ? "1" : "0"},
          {"WTPOOL_PORT_BASE", lease.port_base ? std::optional(std::to_string(*lease.port_base)) : std::nullopt}};
}

}  // namespace wtpool::client
