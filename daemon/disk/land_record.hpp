// The record of a landing: <common>/wtpool/land/<id>.yaml. While it says `made`, nothing has moved and it may be dropped; once
// it says `advancing`, the target itself tells whether it moved, and what is left is done from here. Any thread; throws
// proto::Error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/disk/layout.hpp"

namespace wtpool::disk {

struct LandRecord {
  enum class State { made, advancing };
  struct Checkout {
    std::string git_dir;
    std::string work_tree;
  };
  std::string id;
  State state = State::made;
  std::string name;    // NAME of the lease
  std::string target;  // short name of the branch
  Oid before;
  Oid after;
  std::vector<Checkout> checkouts;  // of the target
  // The slot that follows; empty: it stays.
  std::string slot;
  std::string git_id;
  Oid tip;
};

[[nodiscard]] path land_dir(const SourceId& source);
void write_land_record(const SourceId& source, const LandRecord& record);  // durable
// Nothing: there is none, or it is none of ours; what cannot be read is left alone.
[[nodiscard]] std::optional<LandRecord> read_land_record(const SourceId& source, const std::string& id);
void remove_land_record(const SourceId& source, const std::string& id);
[[nodiscard]] std::vector<std::string> land_ids(const SourceId& source);  // of all that stand, sorted
// Held while a landing's gits run; inherited by them, so that whoever comes after a kill knows when they have ended.
[[nodiscard]] path land_lock(const SourceId& source, const std::string& id);

}  // namespace wtpool::disk
