// Where the files of a pool are, and what slot ids look like. Pure path arithmetic: nothing here touches the disk.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/core/state/slot_ids.hpp"
#include "daemon/core/state/values.hpp"

namespace wtpool::disk {

using std::filesystem::path;

struct PoolFiles {
  explicit PoolFiles(path pool_root) : root(std::move(pool_root)) {}
  path root;  // <pools root>/<key>

  [[nodiscard]] path meta() const { return root / ".meta"; }
  [[nodiscard]] path config() const { return meta() / "config.yaml"; }
  [[nodiscard]] path pool_lock() const { return meta() / "pool.lock"; }
  [[nodiscard]] path init_dir() const { return meta() / "init"; }
  [[nodiscard]] path slot_lock(const SlotId& slot) const { return init_dir() / (slot.str() + ".lock"); }
  [[nodiscard]] path intent(const SlotId& slot) const { return init_dir() / (slot.str() + ".intent"); }
  [[nodiscard]] path quarantine_dir() const { return meta() / "quarantine"; }
  [[nodiscard]] path quarantine(const SlotId& slot) const { return quarantine_dir() / (slot.str() + ".yaml"); }
  [[nodiscard]] path trash_dir() const { return meta() / "trash"; }
  [[nodiscard]] path trash_files(const std::string& id) const { return trash_dir() / id; }
  [[nodiscard]] path trash_record(const std::string& id) const { return trash_dir() / (id + ".yaml"); }
  [[nodiscard]] path running_time() const { return meta() / "running-time.yaml"; }
  [[nodiscard]] path template_dir() const { return meta() / "template"; }
  [[nodiscard]] path template_files(const std::string& id) const { return template_dir() / id; }
  [[nodiscard]] path in_the_making(const SlotId& slot) const { return meta() / ("new-" + slot.str()); }  // a snapshot
  [[nodiscard]] path slot(const SlotId& id) const { return root / id.str(); }
  [[nodiscard]] path gitfile(const SlotId& id) const { return slot(id) / ".git"; }
};

// The slot's own git directory, <common>/worktrees/<git_id>, and what wtpool keeps in it.
struct EntryFiles {
  EntryFiles(const SourceId& source, const std::string& git_id) : entry(path(source.str()) / "worktrees" / git_id) {}
  path entry;

  [[nodiscard]] path own() const { return entry / "worktree-pool"; }
  [[nodiscard]] path marker() const { return own() / "lock"; }
  [[nodiscard]] path untracked() const { return own() / "untracked"; }    // what stayed at the last recycle
  [[nodiscard]] path last_save() const { return own() / "last-save"; }    // id of the slot's last trash entry
  [[nodiscard]] path submodules() const { return own() / "submodules"; }  // what they stand at: submodules_record.hpp
  [[nodiscard]] path standing() const { return own() / "standing"; }      // the commit where it stood as it became idle
  [[nodiscard]] path pristine() const { return own() / "pristine"; }  // config.worktree and sparse-checkout as git made them
};

using core::parse_slot_id;
using core::slot_id;
using core::SlotParts;

}  // namespace wtpool::disk
