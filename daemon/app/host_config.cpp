#include "daemon/app/host_config.hpp"

#include <algorithm>
#include <thread>

#include "common/files/files.hpp"
#include "common/platform/tree_watch.hpp"

namespace wtpool::app {
namespace {

constexpr std::chrono::seconds kTipEvery{5};

int limit_of(const std::optional<int>& configured, unsigned fallback) {
  return std::max(2, configured.value_or(static_cast<int>(fallback)));
}

}  // namespace

disk::HostConfig read_host_config(const HostPaths& paths) {
  const auto text = read_file(paths.host_config);
  return text ? disk::parse_host_config(*text, paths.host_config) : disk::HostConfig{};
}

core::Settings settings_of(const disk::HostConfig& config, const std::filesystem::path& root) {
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  core::Settings settings;
  settings.root = root.string();
  settings.store = config.store.value_or((root / ".store").string());
  settings.answering_limit = static_cast<std::size_t>(limit_of(config.answering_jobs, std::min(16U, 2 * cores)));
  settings.recycling_limit = static_cast<std::size_t>(limit_of(config.recycling_jobs, std::min(8U, cores)));
  settings.background_limit = 1;
  settings.network_limit = 4;
  settings.ending_limit = 4;
  settings.queue_limit = static_cast<std::size_t>(config.queue_limit);
  settings.default_ttl = config.default_ttl;
  settings.trash_expiry = config.trash_expiry;
  if (config.seal) {
    // Half of what the user has: the other half is for the editors and builds that work in the slots.
    const auto limits = platform::watch_limits();
    settings.seal_watches = limits.watches / 2;
    settings.seal_slots = limits.instances / 2;
  }
  settings.seal_quiet = config.seal_quiet;
  settings.hook_timeout = config.hook_timeout;
  settings.tip_every = kTipEvery;
  settings.follow_tip = config.follow_tip;
  return settings;
}

LogLevel log_level_of(const disk::HostConfig& config) {
  if (config.log_level == "debug") return LogLevel::debug;
  if (config.log_level == "warn") return LogLevel::warn;
  if (config.log_level == "error") return LogLevel::error;
  return LogLevel::info;
}

}  // namespace wtpool::app
