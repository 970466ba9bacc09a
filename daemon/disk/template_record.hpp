// <pool>/.meta/template/<ID>/template.yaml: what a template is. It is written last, so a directory without one is an attempt
// that was cut off.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/state/values.hpp"

namespace wtpool::disk {

// A file that makes a carried path valid, by its object id at the template's commit; empty: it was not tracked there.
struct Guard {
  std::string path;
  std::string id;
  friend bool operator==(const Guard&, const Guard&) = default;
};
struct CarriedPath {
  std::string path;  // relative to the slot, without a trailing slash
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::vector<Guard> guards;
  friend bool operator==(const CarriedPath&, const CarriedPath&) = default;
};
struct TemplateRecord {
  std::string id;
  std::optional<std::string> group;
  Oid commit;
  std::int64_t made_at = 0;  // UTC seconds
  std::int64_t made_ns = 0;  // the same moment, in nanoseconds: a file whose ctime is later was changed since
  std::string slot;          // of which it is a copy
  std::string create;        // snapshot or reflink
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::int64_t disk_bytes = 0;
  std::string settings;                     // of git, by which the files were written, as a hash
  std::optional<std::uint64_t> generation;  // of a subvolume: another one means that it was changed since
  std::string boot_id;                      // in which it was made
  bool synced = false;                      // it survives a power loss
  std::vector<CarriedPath> carried;
  std::vector<proto::LeftOut> left_out;  // what the slot had and the template has not
};

void write_template_record(const std::filesystem::path& file, const TemplateRecord& record);
// Null: it is not there, or cannot be read.
[[nodiscard]] std::optional<TemplateRecord> read_template_record(const std::filesystem::path& file);

}  // namespace wtpool::disk
