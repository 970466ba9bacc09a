// `deps:` of a pool config. Internal to this room.
#pragma once

#include <vector>

#include "daemon/core/state/values.hpp"
#include "daemon/disk/config_map.hpp"

namespace wtpool::disk {

// Throws proto::Error(bad_config) with the place in the file.
[[nodiscard]] std::vector<core::Dep> read_deps(const ConfigMap& map);

}  // namespace wtpool::disk
