// The config of a pool, as it stands on disk.
#pragma once

#include "daemon/disk/config.hpp"
#include "daemon/disk/layout.hpp"

namespace wtpool::jobs {

// Throws pool_unavailable where there is none, and bad_config, with a hint, where there is a mistake in it.
[[nodiscard]] core::PoolConfig read_pool_config(const PoolKey& key, const disk::PoolFiles& files);

// The hint of a config with a mistake in it, a pool's or the host's.
[[nodiscard]] std::string how_to_correct(const std::filesystem::path& config);

}  // namespace wtpool::jobs
