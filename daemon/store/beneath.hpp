// Directories below another one, opened without following a symlink. Internal to this room. Any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/files/fd.hpp"

namespace wtpool::store {

// The directory `relative` below `top`; invalid with errno set (ENOENT, ENOTDIR, ELOOP) when it is not there.
[[nodiscard]] Fd open_beneath(const std::filesystem::path& top, const std::string& relative);
// The same, and what is missing is made. Throws proto::Error.
[[nodiscard]] Fd make_beneath(const std::filesystem::path& top, const std::string& relative);
// Where a symlink leads; nothing when there is none of that name.
[[nodiscard]] std::optional<std::string> link_target(int directory, const std::string& name);

}  // namespace wtpool::store
