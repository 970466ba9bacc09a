// Puts entries into directories and takes them out again, by descriptors that follow no symlink: what is in a slot is hostile.
// Throws proto::Error. One thread a directory: the core sees to that for slots.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/files/fd.hpp"
#include "daemon/disk/store_records.hpp"
#include "daemon/store/entries.hpp"
#include "daemon/store/graft_plan.hpp"

namespace wtpool::store {

// Which of these paths, relative to the top, git would ignore there; one that ends with '/' is a directory.
using AskIgnored = std::function<std::vector<bool>(const std::vector<std::string>& paths)>;

struct Place {
  std::filesystem::path top;      // the slot, or the directory itself
  std::filesystem::path scratch;  // a directory on the same disk, for copies in the making
  AskIgnored ignored;             // empty: git has nothing to say there
};

enum class GraftMode { link, reflink, copy };
[[nodiscard]] std::optional<GraftMode> graft_mode_from(std::string_view text);
[[nodiscard]] const char* to_text(GraftMode mode);

struct PlannedGraft {
  disk::Graft graft;                     // as it will be recorded; state placing
  std::vector<std::string> directories;  // to be made, above ones first; relative to the top
  std::vector<std::string> refused;      // relative to the top
};
// Nothing is changed by it, but grafts of the store that are in the way of a directory go.
[[nodiscard]] PlannedGraft plan_graft(const Store& store, const Place& place, const std::string& key, const std::string& into,
                                      GraftMode mode, const GraftRules& rules);
// Does it; an older graft is replaced in one rename. False: reflink was asked for, and the disk copied.
bool do_graft(const Store& store, const Place& place, disk::Graft& graft);

enum class LinkState { ok, gone, overridden, thawed, dangling };
[[nodiscard]] const char* to_text(LinkState state);
[[nodiscard]] LinkState state_of(const Store& store, const std::filesystem::path& top, const std::string& key,
                                 const disk::GraftLink& link);
// Puts the links back that are gone; all others stay.
void relink(const Store& store, const Place& place, const disk::Graft& graft);
// Takes a graft away: its links, and copies when `copies`. What somebody else put there stays.
void take_away(const Store& store, const Place& place, const disk::Graft& graft, bool copies);

// A link becomes a writable copy, in one step.
void thaw(const Store& store, const Place& place, const std::string& key, disk::GraftLink& link);
// The first path where the copy is not as its entry; nothing when it is.
[[nodiscard]] std::optional<std::string> drift_of(const Store& store, const std::filesystem::path& top, const std::string& key,
                                                  const disk::GraftLink& link);
// The copy becomes the link again, in one step. The copy is moved to `keep_at` when that is given, else removed.
void freeze(const Store& store, const Place& place, const std::string& key, disk::GraftLink& link,
            const std::filesystem::path& keep_at = {});

// Symlinks below `top` that lead into entries, by KEY, with names and types read only; paths relative to the top.
[[nodiscard]] std::map<std::string, std::vector<disk::GraftLink>> links_into(const Store& store,
                                                                             const std::filesystem::path& top);

}  // namespace wtpool::store
