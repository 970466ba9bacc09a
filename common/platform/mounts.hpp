// File systems that are mounted below a directory, bind mounts of the same one included. What is in them belongs to somebody
// else, and a device number does not tell them apart.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace wtpool::platform {

// Mount points strictly below `directory`, which is a real path. Empty where the system does not tell.
[[nodiscard]] std::vector<std::filesystem::path> mounts_below(const std::filesystem::path& directory);

// The mount points of a listing in the form of /proc/self/mountinfo.
[[nodiscard]] std::vector<std::filesystem::path> mount_points_in(std::string_view mountinfo);

}  // namespace wtpool::platform
