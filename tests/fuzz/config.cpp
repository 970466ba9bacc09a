// The same text as a pool's config and as the host's.
#include "daemon/disk/config.hpp"

#include "tests/fuzz/targets.hpp"

namespace wtpool::fuzz {
namespace {

const std::string kFile = "/pools/app/.meta/config.yaml";

template <class Parse>
auto parsed(Parse parse, const std::string& text) -> std::optional<decltype(parse(text, kFile))> {
  try {
    return parse(text, kFile);
  } catch (const proto::Error& error) {
    holds(error.kind == proto::ErrorKind::bad_config, "a config that is refused is a bad config: " + error.message);
    holds(error.message.starts_with(kFile) && error.message.size() > kFile.size() + 2, "the file and the fault are named");
    holds(error.message.find('\n') == std::string::npos, "a fault is one line: " + error.message);
    return std::nullopt;
  }
}

void is_within_bounds(const core::PoolConfig& config) {
  holds(config.max_slots >= 1 && config.max_slots <= 10000, "max_slots is within its bounds");
  holds(config.source.starts_with('/'), "the source is absolute: " + config.source);
  holds(!config.default_commit.empty() && !config.default_commit.starts_with('-'), "the commit is no option");
  holds(config.submodule_mirror_mode.has_value() == config.submodule_mirror_base.has_value(), "mode and base come together");
  holds(!config.ttl || config.ttl->count() > 0, "a ttl is longer than nothing");
}

void is_within_bounds(const disk::HostConfig& config) {
  holds(!config.root || config.root->starts_with('/'), "the root is absolute");
  holds(config.queue_limit >= 1, "the queue has room");
  holds(config.trash_expiry.count() > 0, "the trash expires");
  holds(!config.default_ttl || config.default_ttl->count() > 0, "a ttl is longer than nothing");
  holds(config.answering_jobs.value_or(2) >= 2 && config.recycling_jobs.value_or(1) >= 1, "there are threads");
}

}  // namespace

void config(std::string_view input) {
  const std::string text(input);
  if (const auto host = parsed(disk::parse_host_config, text)) is_within_bounds(*host);

  const auto pool = parsed(disk::parse_pool_config, text);
  if (!pool) return;
  is_within_bounds(*pool);
  const auto written = disk::format_pool_config(*pool);
  const auto again = parsed(disk::parse_pool_config, written);
  holds(again.has_value(), "what was written is read, not refused:\n" + written);
  holds(disk::format_pool_config(*again) == written, "what was written is read as the same config:\n" + written);
  holds(again->source == pool->source && again->groups == pool->groups && again->filters == pool->filters &&
            again->submodule_mirror_base == pool->submodule_mirror_base && again->ttl == pool->ttl,
        "no value is lost by writing it:\n" + written);
}

}  // namespace wtpool::fuzz
