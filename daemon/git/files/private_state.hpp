// What a worktree entry holds of its own beside HEAD and index: configuration, half-done operations, locks. Plain files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "proto/ids.hpp"

namespace wtpool::git {

// config.worktree, info/sparse-checkout as git made them, or gone: `pristine` holds the former. Before any git in the slot.
void restore_private_config(const std::string& entry, const std::string& pristine);
void keep_private_config(const std::string& entry, const std::string& pristine);
// Has it sparse patterns? Which files the index leaves out may then be by somebody else's, and no status says so: a reset_hard
// goes by these.
[[nodiscard]] bool is_sparse(const std::string& entry);

// What of git's own state in an entry names an object: of operations half done, pseudo-refs, and refs that no other worktree sees.
struct NamedByState {
  std::string file;  // relative to the entry
  Oid id;
};
[[nodiscard]] std::vector<NamedByState> named_by_state(const std::string& entry);
// A `git am` that has patches left, which are nowhere else.
[[nodiscard]] bool has_patches(const std::string& entry);
// Half-done merge, rebase, cherry-pick, revert, bisect; the slot's pseudo-refs, refs/bisect, refs/worktree, refs/rewritten.
// Plain file operations. First returns the ids of autostashes, which are work.
[[nodiscard]] std::vector<Oid> autostashes(const std::string& entry);
void clear_operations(const std::string& entry);

// index.lock, HEAD.lock and whatever else is a lock in the slot's entry, of anybody's.
[[nodiscard]] std::vector<std::filesystem::path> locks_in_entry(const std::string& entry);
// Those, or one of them, under the slot's lock only. One that is a directory with something in it is moved aside.
void remove_lock(const std::string& entry, const std::filesystem::path& lock);
void remove_stale_locks(const std::string& entry);

}  // namespace wtpool::git
