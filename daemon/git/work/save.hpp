// Keeping work: what a recycle would destroy becomes a commit of stash shape, or, when it is too large, files moved aside.
#pragma once

#include <filesystem>
#include <map>

#include "daemon/git/process/git.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/work/as_saved.hpp"
#include "daemon/git/work/keeping_room.hpp"

namespace wtpool::git {

struct SaveRequest {
  std::string name;                    // whose work, for the commit's message
  Oid base;                            // parent when HEAD is unborn
  std::vector<std::string> changed;    // tracked paths that differ
  std::vector<std::string> untracked;  // those that will be removed; empty when they stay
  std::uint64_t limit_bytes = 0;       // above either, files are moved to `aside`
  std::uint64_t limit_files = 0;
  std::filesystem::path aside;  // <pool>/.meta/trash/<ID>
};
struct Saved {
  std::optional<Oid> work;   // commit: tree = working tree, parents HEAD, index, and untracked files if any
  bool moved_aside = false;  // the files are below `aside`, at their relative paths; `<aside>.deleted` lists, each ended by
                             // NUL, the tracked paths that were gone. `work` then has the index's tree
  bool some_aside = false;   // of the files, those with names that git takes into no tree are below `aside`
  Stamps as_saved;           // the files whose content is in `work`, as they were just before it was read
  HeldPack pack;             // to be let go when a ref leads to `work`
};
// Objects are durable when it returns, in a pack of their own; no ref is made here. The index and the working tree are untouched (but for files moved
// aside). Unmerged, intent-to-add, type-changed, deleted and renamed paths, modes and symlinks are all kept; submodules and
// nested repositories are left out. Throws when anything could not be kept: then nothing may be destroyed.
[[nodiscard]] Saved save_work(const Git& slot, const SaveRequest& request);
// `work`, as save_work makes it, and the untracked files of `request` in it as well. Nothing where they are above a limit, or
// one of them would take the place of another that is in there.
[[nodiscard]] std::optional<Saved> with_untracked(const Git& slot, const Oid& work, const SaveRequest& request);

// What is staged in an entry whose directory may be gone, as a commit of the same shape; a conflict counts as our side. Nothing
// when that is what HEAD has, or `base` where HEAD leads nowhere. Throws like save_work.
[[nodiscard]] std::optional<Saved> save_index(const Git& entry, const std::string& name, const Oid& base);

[[nodiscard]] std::string trash_ref(const std::string& id, const std::string& rest);  // refs/wtpool/trash/<id>/<rest>
// The refs of every trash entry that `source` has, whoever's pool it is of, by the entry's id.
using TrashRefs = std::map<std::string, std::vector<Ref>>;
[[nodiscard]] TrashRefs list_trash(const Git& source);

}  // namespace wtpool::git
