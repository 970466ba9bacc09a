// Locks in a slot's own entry when the slot is given back: HEAD.lock and whatever else a git left that died in it. Nobody but
// the slot's own programs can mean them, so the gits of other slots do not count as their holders.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace wtpool::git {

// Removes those that no living process needs; one that a git of this slot may still hold is waited for as long as `patience`
// lasts, and stays. Returns what stays. To be called under the slot's lock.
std::vector<std::filesystem::path> heal_own_locks(const std::filesystem::path& entry, const std::filesystem::path& slot,
                                                  std::chrono::milliseconds patience);

}  // namespace wtpool::git
