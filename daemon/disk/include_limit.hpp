// `include` of a pool's config: how many bytes `.worktreeinclude` may bring into a fresh slot. Read when a slot is made, which
// is rare, and checked with the other keys when the config is read.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/disk/config_map.hpp"

namespace wtpool::disk {

// 1 GiB when it says nothing. Throws proto::Error(bad_config).
[[nodiscard]] std::uint64_t include_limit(const ConfigMap& map);
// The same of the config's text; none of a text that cannot be read.
[[nodiscard]] std::uint64_t include_limit(const std::string& text);

}  // namespace wtpool::disk
