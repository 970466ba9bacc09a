// What the system knows of the user who runs this program.
#pragma once

#include <filesystem>
#include <optional>

namespace wtpool::platform {

// An absolute path, or nothing. May take as long as a directory service does to answer. Any thread.
[[nodiscard]] std::optional<std::filesystem::path> home_of_account();

}  // namespace wtpool::platform
