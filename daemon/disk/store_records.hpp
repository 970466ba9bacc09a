// The records of the store: what an entry is, and what is grafted where. parse_* never throw: nothing for what is no such
// record. Flat YAML, unknown keys ignored. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/disk/layout.hpp"

namespace wtpool::disk {

struct EntryRecord {  // entries/<KEY>/entry.yaml
  std::string key;
  std::optional<std::string> sha256;  // of the archive; absent when it was a directory
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::int64_t made_at = 0;
  std::string boot_id;  // of the boot in which it was made
  bool synced = false;  // on the disk, whatever the power does
  friend bool operator==(const EntryRecord&, const EntryRecord&) = default;
};

struct GraftLink {
  enum class State { link, thawed, copy, overridden };
  std::string path;    // relative to the root's directory
  std::string target;  // relative to the entry's tree
  State state = State::link;
  friend bool operator==(const GraftLink&, const GraftLink&) = default;
};

struct Graft {
  std::string key;
  std::string into;  // relative to the root's directory; "" is that itself
  std::string mode = "link";
  std::string dep;  // its name, of those that acquire places
  bool placing = false;
  std::vector<GraftLink> links;
  friend bool operator==(const Graft&, const Graft&) = default;
};

struct RootRecord {  // roots/<pool>/<slot>.yaml, roots/dirs/<sha256>.yaml
  std::string pool;  // empty for a plain directory, like the slot
  std::string slot;
  std::string path;
  std::vector<Graft> grafts;
  friend bool operator==(const RootRecord&, const RootRecord&) = default;
};

[[nodiscard]] std::string format_entry_record(const EntryRecord& record);
[[nodiscard]] std::optional<EntryRecord> parse_entry_record(const std::string& text);
[[nodiscard]] std::string format_root_record(const RootRecord& record);
[[nodiscard]] std::optional<RootRecord> parse_root_record(const std::string& text);

}  // namespace wtpool::disk
