// Who may still need a lock file of git's? Not only who has it open: git closes locks of refs and of the index while it holds
// them. So every git counts that works in the source, could have made such a lock, and was there when it was made.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace wtpool::git {

// Pids, as far as this user may look; `made` in seconds, UTC. Nothing when it cannot be told: then nobody may call it stale.
// Any thread; looks at every process.
[[nodiscard]] std::optional<std::vector<std::int64_t>> holders_of(const std::filesystem::path& lock, std::int64_t made,
                                                                  const std::string& common_dir);

// The same of a lock as it stands now; nobody when it is gone.
[[nodiscard]] std::optional<std::vector<std::int64_t>> holders_of(const std::filesystem::path& lock,
                                                                  const std::string& common_dir);

// Of a git with these arguments, argv[0] first: whether what it was asked to do may lock anything but for a moment.
[[nodiscard]] bool may_hold_locks(const std::vector<std::string>& arguments);

}  // namespace wtpool::git
