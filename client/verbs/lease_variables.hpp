// What a lease is called in the environment of whoever has it: of the command of `run`, and by `acquire --env`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proto/messages.hpp"

namespace wtpool::client {

// In the order in which they are printed; without a value: the lease has none, and an outer one's is not to be seen either.
[[nodiscard]] std::vector<std::pair<std::string, std::optional<std::string>>> lease_variables(
    const proto::AcquireResult& lease, const std::filesystem::path& socket);

}  // namespace wtpool::client
