#include "daemon/disk/marker_text.hpp"

#include <algorithm>
#include <array>

#include "common/base/clock.hpp"
#include "common/base/names.hpp"

namespace wtpool::disk {
namespace {

using core::Marker;
using core::MarkerState;

constexpr std::string_view kFormat = "2";
// Ten thousand years: past it a TTL would overflow a clock's nanoseconds somewhere.
constexpr std::int64_t kMaxTtl = 315'360'000'000;

std::string_view text_of(MarkerState state) {
  switch (state) {
    case MarkerState::acquiring:
      return "acquiring";
    case MarkerState::held:
      return "held";
    case MarkerState::releasing:
      return "releasing";
  }
  return "held";
}

bool is_lower_hex(std::string_view text) { return text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }
bool is_oid(std::string_view text) { return (text.size() == 40 || text.size() == 64) && is_lower_hex(text); }

class Fields {
 public:
  explicit Fields(const YAML::Node& map) : map_(map) {}

  [[nodiscard]] bool has(const char* key) const { return optional(key).has_value(); }

  // A null is an absent value: other writers put one where they have nothing.
  [[nodiscard]] std::optional<std::string> optional(const char* key) const {
    const YAML::Node node = map_[key];
    if (!node.IsDefined() || node.IsNull()) return std::nullopt;
    if (!node.IsScalar()) throw yaml::fault_at(node, std::string(key) + " is not a single value");
    return node.Scalar();
  }

  [[nodiscard]] std::string required(const char* key) const {
    auto value = optional(key);
    if (!value) throw yaml::Fault{0, 0, std::string("it has no ") + key};
    return *value;
  }

  [[nodiscard]] std::optional<core::seconds> ttl() const {
    if (!has("ttl_seconds")) return std::nullopt;
    return core::seconds(number("ttl_seconds", 0, kMaxTtl));
  }

  [[nodiscard]] std::int64_t number(const char* key, std::int64_t least, std::int64_t most) const {
    const std::string text = required(key);
    const auto value = yaml::whole_number(text);
    if (!value || *value < least || *value > most) throw bad(key, text);
    return *value;
  }

  [[nodiscard]] static yaml::Fault bad(const char* key, const std::string& value) {
    return {0, 0, std::string("its ") + key + " is '" + printable(value.substr(0, 80)) + "'"};
  }

 private:
  YAML::Node map_;
};

Oid oid_of(const char* key, const std::string& text) {
  if (!is_oid(text)) throw Fields::bad(key, text);
  return Oid(text);
}

// 128 bits of FNV-1a, in two halves that start differently: the same text has the same id after every restart.
LeaseId id_from(std::string_view text) {
  std::string digits;
  for (const std::uint64_t start : {0xcbf29ce484222325ull, 0x9ae16a3b2f90404full}) {
    std::uint64_t hash = start;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[(hash >> shift) & 15];
  }
  return LeaseId(digits);
}

Marker adopted_from(const Fields& fields, Marker marker) {
  // A marker of ours that lost its `format` is not one of worktree-pool's.
  for (const char* const key : {"state", "name", "lease_id", "lease_kind"})
    if (fields.has(key)) throw yaml::Fault{0, 0, std::string("it has ") + key + " but no format"};
  marker.lease.adopted = true;
  marker.lease.id =
      id_from(rfc3339_utc(marker.lease.started_at) + " " + marker.lease.full_sha.str() + " " + marker.lease.group.value_or(""));
  return marker;
}

void read_owner(const Fields& fields, core::Lease& lease) {
  if (fields.has("owner_pid") || fields.has("owner_start") || fields.has("boot_id")) {
    core::Owner owner;
    owner.pid = fields.number("owner_pid", 1, INT32_MAX);
    const std::string start = fields.required("owner_start");
    const auto begin = yaml::whole_number(start);
    if (!begin || *begin < 0) throw Fields::bad("owner_start", start);
    owner.start = static_cast<std::uint64_t>(*begin);
    owner.boot_id = fields.required("boot_id");
    lease.owner = owner;
  } else if (lease.kind == core::LeaseKind::process) {
    throw yaml::Fault{0, 0, "it is of a process lease and names no process"};
  }
}

void read_lease(const Fields& fields, core::Lease& lease) {
  const std::string id = fields.required("lease_id");
  if (id.size() != 32 || !is_lower_hex(id)) throw Fields::bad("lease_id", id);
  lease.id = LeaseId(id);
  const std::string kind = fields.required("lease_kind");
  const auto known = proto::lease_kind_from_text(kind);
  if (!known) throw Fields::bad("lease_kind", kind);
  lease.kind = *known;
  if (const auto adopted = fields.optional("adopted")) {
    if (*adopted != "true") throw Fields::bad("adopted", *adopted);
    lease.adopted = true;
  }
  lease.name = fields.required("name");
  // The name of an adopted lease is whatever branch the slot had, and may be none.
  if (lease.adopted ? lease.name.starts_with('-') : bad_name(lease.name).has_value()) throw Fields::bad("name", lease.name);
  if (const auto base = fields.optional("branch_base")) lease.branch_base = oid_of("branch_base", *base);
  if (const auto keep = fields.optional("keep_branch")) {
    if (*keep != "true") throw Fields::bad("keep_branch", *keep);
    lease.keep_branch = true;
  }
  lease.key = fields.optional("key");
  lease.ttl = fields.ttl();
  read_owner(fields, lease);
}

}  // namespace

std::string marker_fields(const Marker& marker) {
  const core::Lease& lease = marker.lease;
  std::string text;
  const auto add = [&](std::string_view key, std::string_view value) {
    text.append(key).append(": ").append(value).append("\n");
  };
  add("started_at", rfc3339_utc(lease.started_at));
  add("full_sha", lease.full_sha.str());
  if (lease.group) add("group", yaml::scalar(*lease.group));
  add("format", kFormat);
  add("state", text_of(marker.state));
  add("name", yaml::scalar(lease.name));
  add("lease_id", lease.id.str());
  add("lease_kind", proto::to_text(lease.kind));
  if (lease.adopted) add("adopted", "true");
  if (lease.branch_base) add("branch_base", lease.branch_base->str());
  if (lease.keep_branch) add("keep_branch", "true");
  if (lease.key) add("key", yaml::scalar(*lease.key));
  if (lease.ttl) add("ttl_seconds", std::to_string(lease.ttl->count()));
  if (lease.owner) {
    add("owner_pid", std::to_string(lease.owner->pid));
    add("owner_start", std::to_string(lease.owner->start));
    add("boot_id", yaml::scalar(lease.owner->boot_id));
  }
  if (marker.on_dirty) add("on_dirty", proto::to_text(*marker.on_dirty));
  if (marker.trash_id) add("trash_id", yaml::scalar(*marker.trash_id));
  if (marker.fresh) add("fresh", "true");
  return text;
}

Marker marker_from(const YAML::Node& map) {
  const Fields fields(map);
  Marker marker;
  const std::string started = fields.required("started_at");
  if (!parse_rfc3339(started, marker.lease.started_at)) throw Fields::bad("started_at", started);
  marker.lease.full_sha = oid_of("full_sha", fields.required("full_sha"));
  if (const auto group = fields.optional("group")) {
    if (bad_group(*group)) throw Fields::bad("group", *group);
    marker.lease.group = group;
  }
  const auto format = fields.optional("format");
  if (!format) return adopted_from(fields, std::move(marker));
  if (*format != kFormat) throw Fields::bad("format", *format);

  const std::string state = fields.required("state");
  const std::array states{MarkerState::acquiring, MarkerState::held, MarkerState::releasing};
  const auto* const known = std::find_if(states.begin(), states.end(), [&](MarkerState s) { return text_of(s) == state; });
  if (known == states.end()) throw Fields::bad("state", state);
  marker.state = *known;
  read_lease(fields, marker.lease);
  if (const auto dirty = fields.optional("on_dirty")) {
    marker.on_dirty = proto::dirty_from_text(*dirty);
    if (!marker.on_dirty) throw Fields::bad("on_dirty", *dirty);
  }
  marker.trash_id = fields.optional("trash_id");
  // It becomes part of a ref's name and of a path.
  if (marker.trash_id && (bad_pool_key(*marker.trash_id))) throw Fields::bad("trash_id", *marker.trash_id);
  if (const auto fresh = fields.optional("fresh")) {
    if (*fresh != "true") throw Fields::bad("fresh", *fresh);
    marker.fresh = true;
  }
  return marker;
}

bool is_whole(const std::string& text, std::string_view first_line) {
  if (text.starts_with(first_line)) {
    // Not at the very end: a line that somebody added below is no reason to distrust what stands above.
    if (text.find(std::string("\n") + std::string(kLastLine)) == std::string::npos) throw yaml::Fault{0, 0, "it was cut short"};
    return true;
  }
  return false;
}

}  // namespace wtpool::disk
