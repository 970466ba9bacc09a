// Is the store all right? Reads only.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "proto/messages.hpp"

namespace wtpool::app {

// Empty where the host has no store yet. `pools` is their root, `most` the limit of the store's bytes.
[[nodiscard]] std::vector<proto::DoctorCheck> check_store(const std::filesystem::path& store,
                                                          const std::filesystem::path& pools,
                                                          std::optional<std::uint64_t> most);

}  // namespace wtpool::app
