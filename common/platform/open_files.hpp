// Which processes have a file open? Asked of shared lock files before they are called stale.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace wtpool::git {

// Their pids, of the processes that this user may look into. Nothing when it cannot be told at all.
[[nodiscard]] std::optional<std::vector<std::int64_t>> openers_of(const std::filesystem::path& file);

}  // namespace wtpool::git
