#include "daemon/disk/config.hpp"

#include <array>
#include <limits>

#include "common/base/duration.hpp"
#include "common/base/names.hpp"
#include "common/host_paths.hpp"
#include "daemon/disk/config_map.hpp"
#include "daemon/disk/deps_config.hpp"
#include "daemon/disk/hook_file.hpp"
#include "daemon/disk/include_limit.hpp"

namespace wtpool::disk {
namespace {

using core::FetchPolicy;
using When = core::FetchPolicy::When;

constexpr std::int64_t kMaxNumber = std::numeric_limits<std::int64_t>::max();

std::string required(const ConfigMap& map, const std::string& key) {
  auto value = map.text(key);
  if (!value) throw map.wrong(key, "is missing");
  return *value;
}

void check_text(const ConfigMap& map, const std::string& key, const std::string& value) {
  if (printable(value) != value) throw map.wrong(key, "has a character that cannot be printed");
}

std::string path_at(const ConfigMap& map, const std::string& key, const std::string& value, const std::filesystem::path& base) {
  check_text(map, key, value);
  return expand_path(value, base).string();
}

FetchPolicy fetch_policy(const ConfigMap& map) {
  const auto written = map.text("fetch");
  if (!written || *written == "on-miss") return {When::on_miss};
  if (*written == "never") return {When::never};
  if (*written == "always") return {When::always};
  const auto age = parse_duration(*written);
  if (!age) throw map.wrong("fetch", "takes never, on-miss, always or a duration such as 10m, not '" + *written + "'");
  return {When::older_than, std::chrono::ceil<core::seconds>(*age)};
}

core::Clean clean_policy(const ConfigMap& map) {
  const auto written = map.text("clean");
  if (!written || *written == "none") return core::Clean::none;
  if (*written == "untracked") return core::Clean::untracked;
  if (*written == "ignored") return core::Clean::ignored;
  throw map.wrong("clean", "takes none, untracked or ignored, not '" + *written + "'");
}

core::Dirty dirty_policy(const ConfigMap& map) {
  const auto written = map.text("on_dirty");
  if (!written) return core::Dirty::save;
  const auto known = proto::dirty_from_text(*written);
  if (!known) throw map.wrong("on_dirty", "takes save, refuse or discard, not '" + *written + "'");
  return *known;
}

core::Create create_mode(const ConfigMap& map) {
  const auto written = map.text("create");
  if (!written || *written == "auto") return core::Create::automatic;
  if (*written == "snapshot") return core::Create::snapshot;
  if (*written == "reflink") return core::Create::reflink;
  if (*written == "checkout") return core::Create::checkout;
  throw map.wrong("create", "takes auto, snapshot, reflink or checkout, not '" + *written + "'");
}

std::string create_text(core::Create create) {
  switch (create) {
    case core::Create::automatic:
      return "auto";
    case core::Create::snapshot:
      return "snapshot";
    case core::Create::reflink:
      return "reflink";
    case core::Create::checkout:
      return "checkout";
  }
  return "auto";
}

void read_creation(const ConfigMap& map, core::PoolConfig& config) {
  config.create = create_mode(map);
  if (map.names("carry")) config.carry = map.words("carry");
  config.carry_not = map.words("carry_not");
  config.guards = map.word_lists("guards");
}

void read_submodules(const ConfigMap& map, const std::filesystem::path& base, core::PoolConfig& config) {
  const auto mode = map.text("submodule_mirror_mode");
  const auto where = map.text("submodule_mirror_base");
  if (mode && *mode != "bare-mirror" && *mode != "git-modules")
    throw map.wrong("submodule_mirror_mode", "takes bare-mirror or git-modules, not '" + *mode + "'");
  if (mode && !where) throw map.wrong("submodule_mirror_mode", "needs submodule_mirror_base beside it");
  if (where && !mode) throw map.wrong("submodule_mirror_base", "needs submodule_mirror_mode beside it");
  config.submodule_mirror_mode = mode;
  if (where) config.submodule_mirror_base = path_at(map, "submodule_mirror_base", *where, base);
}

void read_landing(const ConfigMap& map, core::PoolConfig& config) {
  config.land_into = map.text("land_into").value_or("");
  check_text(map, "land_into", config.land_into);
  if (config.land_into.starts_with('-')) throw map.wrong("land_into", "starts with '-'");
  if (const auto style = map.text("land_style")) {
    const auto known = proto::land_style_from(*style);
    if (!known) throw map.wrong("land_style", "takes merge, no-ff, squash or rebase, not '" + *style + "'");
    config.land_style = *known;
  }
  config.land_test = map.text("land_test");
  config.land_train = static_cast<int>(map.number("land_train", 1, 100).value_or(config.land_train));
  config.merge_drivers = map.words("merge_drivers");
}

std::string duration_text(core::seconds value) {
  const std::int64_t count = value.count();
  if (count > 0 && count % 86400 == 0) return std::to_string(count / 86400) + "d";
  if (count > 0 && count % 3600 == 0) return std::to_string(count / 3600) + "h";
  if (count > 0 && count % 60 == 0) return std::to_string(count / 60) + "m";
  return std::to_string(count) + "s";
}

std::string fetch_text(const FetchPolicy& policy) {
  switch (policy.when) {
    case When::never:
      return "never";
    case When::on_miss:
      return "on-miss";
    case When::always:
      return "always";
    case When::older_than:
      return duration_text(policy.age);
  }
  return "on-miss";
}

std::string list_text(const std::vector<std::string>& words) {
  std::string text;
  if (words.empty()) return "[]";
  for (const std::string& word : words) text += (text.empty() ? "[" : ", ") + yaml::scalar(word);
  return text + "]";
}

}  // namespace

core::PoolConfig parse_pool_config(const std::string& text, const std::filesystem::path& file) {
  const ConfigMap map(text, file,
                      {"schema_version",
                       "source",
                       "default_commit",
                       "max_slots",
                       "groups",
                       "submodule_mirror_mode",
                       "submodule_mirror_base",
                       "fetch",
                       "fetch_timeout",
                       "fetch_interval",
                       "clean",
                       "on_dirty",
                       "ttl",
                       "filters",
                       "save_limit_bytes",
                       "save_limit_files",
                       "include",
                       "deps",
                       "session",
                       "land_into",
                       "land_style",
                       "land_test",
                       "land_train",
                       "merge_drivers",
                       "create",
                       "carry",
                       "carry_not",
                       "guards",
                       "hooks"});
  if (!map.number("schema_version", 1, 1)) throw map.wrong("schema_version", "is missing");
  const auto base = file.parent_path().parent_path();

  core::PoolConfig config;
  config.source = path_at(map, "source", required(map, "source"), base);
  config.default_commit = map.text("default_commit").value_or("HEAD");
  check_text(map, "default_commit", config.default_commit);
  if (config.default_commit.starts_with('-')) throw map.wrong("default_commit", "starts with '-'");
  config.max_slots = static_cast<int>(map.number("max_slots", 1, 10000).value_or(config.max_slots));
  config.groups = map.words("groups");
  for (const std::string& group : config.groups)
    if (const auto why = bad_group(group)) throw map.wrong("groups", "names '" + group + "', which " + *why);
  read_submodules(map, base, config);
  config.fetch = fetch_policy(map);
  config.fetch_timeout = map.duration("fetch_timeout").value_or(config.fetch_timeout);
  if (config.fetch_timeout.count() <= 0) throw map.wrong("fetch_timeout", "must be above 0");
  config.fetch_interval = map.duration("fetch_interval");
  if (config.fetch_interval && config.fetch_interval->count() <= 0) throw map.wrong("fetch_interval", "must be above 0");
  config.clean = clean_policy(map);
  config.on_dirty = dirty_policy(map);
  config.ttl = map.duration("ttl");
  read_creation(map, config);
  if (map.names("filters")) config.filters = map.words("filters");
  for (const std::string& filter : config.filters)
    if (bad_pool_key(filter)) throw map.wrong("filters", "names '" + filter + "', which is no name of a filter driver");
  config.deps = read_deps(map);
  if (const auto bytes = map.number("save_limit_bytes", 0, kMaxNumber))
    config.save_limit_bytes = static_cast<std::uint64_t>(*bytes);
  if (const auto files = map.number("save_limit_files", 0, kMaxNumber))
    config.save_limit_files = static_cast<std::uint64_t>(*files);
  (void)include_limit(map);
  config.session = map.text("session");
  read_landing(map, config);
  config.hooks = read_hooks(map);
  return config;
}

std::string format_pool_config(const core::PoolConfig& config) {
  const core::PoolConfig defaults;
  std::string text = "schema_version: 1\n";
  const auto add = [&](std::string_view key, const std::string& value) {
    text.append(key).append(": ").append(value).append("\n");
  };
  add("source", yaml::scalar(config.source));
  add("default_commit", yaml::scalar(config.default_commit));
  add("max_slots", std::to_string(config.max_slots));
  if (!config.groups.empty()) add("groups", list_text(config.groups));
  if (config.submodule_mirror_mode) add("submodule_mirror_mode", *config.submodule_mirror_mode);
  if (config.submodule_mirror_base) add("submodule_mirror_base", yaml::scalar(*config.submodule_mirror_base));
  if (config.fetch.when != defaults.fetch.when) add("fetch", fetch_text(config.fetch));
  if (config.fetch_timeout != defaults.fetch_timeout) add("fetch_timeout", duration_text(config.fetch_timeout));
  if (config.fetch_interval) add("fetch_interval", duration_text(*config.fetch_interval));
  if (config.clean != defaults.clean) add("clean", config.clean == core::Clean::ignored ? "ignored" : "untracked");
  if (config.on_dirty != defaults.on_dirty) add("on_dirty", std::string(proto::to_text(config.on_dirty)));
  if (config.ttl) add("ttl", duration_text(*config.ttl));
  if (config.filters != defaults.filters) add("filters", list_text(config.filters));
  if (config.create != defaults.create) add("create", create_text(config.create));
  if (config.save_limit_bytes != defaults.save_limit_bytes) add("save_limit_bytes", std::to_string(config.save_limit_bytes));
  if (config.save_limit_files != defaults.save_limit_files) add("save_limit_files", std::to_string(config.save_limit_files));
  if (config.session) add("session", *config.session);
  if (!config.land_into.empty()) add("land_into", yaml::scalar(config.land_into));
  if (config.land_style != defaults.land_style) add("land_style", std::string(proto::to_text(config.land_style)));
  if (config.land_test) add("land_test", yaml::scalar(*config.land_test));
  if (config.land_train != defaults.land_train) add("land_train", std::to_string(config.land_train));
  if (!config.merge_drivers.empty()) add("merge_drivers", list_text(config.merge_drivers));
  return text;
}

HostConfig parse_host_config(const std::string& text, const std::filesystem::path& file) {
  const ConfigMap map(text, file,
                      {"root", "log_level", "default_ttl", "queue_limit", "trash_expiry", "answering_jobs", "recycling_jobs",
                       "reserve", "seal", "seal_quiet", "follow_tip", "store", "store_keep", "store_max", "hook_timeout"});
  HostConfig config;
  if (const auto root = map.text("root")) config.root = path_at(map, "root", *root, file.parent_path());
  if (const auto store = map.text("store")) config.store = path_at(map, "store", *store, file.parent_path());
  config.store_keep = map.duration("store_keep");
  if (const auto most = map.text("store_max")) {
    config.store_max = parse_size(*most);
    if (!config.store_max) throw map.wrong("store_max", "takes a size such as 500M or 20G, not '" + *most + "'");
  }
  if (const auto level = map.text("log_level")) {
    if (*level != "debug" && *level != "info" && *level != "warn" && *level != "error")
      throw map.wrong("log_level", "takes debug, info, warn or error, not '" + *level + "'");
    config.log_level = *level;
  }
  config.default_ttl = map.duration("default_ttl");
  config.queue_limit = static_cast<int>(map.number("queue_limit", 1, 1'000'000).value_or(config.queue_limit));
  config.trash_expiry = map.duration("trash_expiry").value_or(config.trash_expiry);
  const auto jobs = [&](const char* key, std::int64_t least) -> std::optional<int> {
    const auto count = map.number(key, least, 256);
    return count ? std::optional<int>(static_cast<int>(*count)) : std::nullopt;
  };
  config.answering_jobs = jobs("answering_jobs", 2);
  config.recycling_jobs = jobs("recycling_jobs", 1);
  config.seal = map.boolean("seal").value_or(config.seal);
  config.follow_tip = map.boolean("follow_tip").value_or(config.follow_tip);
  config.hook_timeout = map.duration("hook_timeout").value_or(config.hook_timeout);
  config.seal_quiet = map.duration("seal_quiet").value_or(config.seal_quiet);
  if (const auto bytes = map.number("reserve", 0, kMaxNumber)) config.reserve_bytes = static_cast<std::uint64_t>(*bytes);
  return config;
}

}  // namespace wtpool::disk
