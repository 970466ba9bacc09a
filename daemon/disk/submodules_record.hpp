// What a slot's submodules stand at: one line each, path, name, mirror and commit with TAB between them, paths quoted as git
// does. Durable before a lease is held, so that HEADs and branches can be made again from it after a power cut. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/disk/layout.hpp"
#include "proto/ids.hpp"

namespace wtpool::disk {

struct SubmoduleRecord {
  std::string path;  // from the slot's top
  std::string name;
  std::string mirror;
  Oid at;
  friend bool operator==(const SubmoduleRecord&, const SubmoduleRecord&) = default;
};

[[nodiscard]] std::string format_submodules(const std::vector<SubmoduleRecord>& records);
// Nothing unless every line is whole: half a record would say of the rest that it is not there. Never throws.
[[nodiscard]] std::optional<std::vector<SubmoduleRecord>> parse_submodules(std::string_view text);

// Durable when it returns; throws proto::Error.
void write_submodules(const path& file, const std::vector<SubmoduleRecord>& records);
// Nothing when it is not there, cannot be read, or is not whole.
[[nodiscard]] std::optional<std::vector<SubmoduleRecord>> read_submodules(const path& file);

}  // namespace wtpool::disk
