// The host's configuration file, and what of it the parts of the daemon go by.
#pragma once

#include <filesystem>

#include "common/base/log.hpp"
#include "common/host_paths.hpp"
#include "daemon/core/state/host.hpp"
#include "daemon/disk/config.hpp"

namespace wtpool::app {

// As it stands now; the defaults where there is none. Throws what is wrong with it.
[[nodiscard]] disk::HostConfig read_host_config(const HostPaths& paths);

[[nodiscard]] core::Settings settings_of(const disk::HostConfig& config, const std::filesystem::path& root);
[[nodiscard]] LogLevel log_level_of(const disk::HostConfig& config);

}  // namespace wtpool::app
