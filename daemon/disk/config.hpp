// Pool config and host config: YAML in, checked values out. Unknown keys and wrong types throw proto::Error(bad_config) with
// file, line and column. Any thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "daemon/core/state/values.hpp"

namespace wtpool::disk {

// `file` is named in errors and is what relative paths are resolved against (its directory's pool root).
[[nodiscard]] core::PoolConfig parse_pool_config(const std::string& text, const std::filesystem::path& file);
[[nodiscard]] std::string format_pool_config(const core::PoolConfig& config);

// `wtpoold.yaml`. Keys: root, log_level, default_ttl, queue_limit, trash_expiry, answering_jobs, recycling_jobs, reserve,
// seal, seal_quiet, follow_tip, store, store_keep, store_max, hook_timeout.
struct HostConfig {
  std::optional<std::string> root;
  std::optional<std::string> store;         // absent: <root>/.store
  std::optional<core::seconds> store_keep;  // unused for so long, an entry is collected by itself; absent: never
  std::optional<std::uint64_t> store_max;   // bytes of the store, past which the oldest unused are collected
  std::string log_level = "info";
  std::optional<core::seconds> default_ttl;  // for pools that name none
  int queue_limit = 1024;
  core::seconds trash_expiry{14 * 24 * 3600};
  std::optional<int> answering_jobs;
  std::optional<int> recycling_jobs;
  bool seal = true;                                   // idle slots are proven clean and watched
  bool follow_tip = true;                             // idle sealed slots go along when the default commit moves
  core::seconds hook_timeout{600};                    // how long a client lets each hook run
  core::seconds seal_quiet{30};                       // how long after something happened in a tree it is sealed again
  std::uint64_t reserve_bytes = 64ull * 1024 * 1024;  // free space below which nothing is acquired
};
[[nodiscard]] HostConfig parse_host_config(const std::string& text, const std::filesystem::path& file);

}  // namespace wtpool::disk
