// A slot's working tree, index and HEAD. The place was proven before each call by the caller; every call is for one slot that
// the calling job owns, except `look`, which is read-only (no index refresh is written).
#pragma once

#include <chrono>
#include <filesystem>
#include <set>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

struct TreeLook {
  std::optional<Oid> head;             // absent: unborn
  std::optional<std::string> branch;   // absent: detached
  std::vector<std::string> changed;    // tracked paths that differ from HEAD, staged or not, unmerged ones too
  std::vector<std::string> untracked;  // not ignored; each file, except nested repositories
  std::vector<std::string> nested;     // nested repositories (untracked directories with a .git of their own, sound or not);
                                       // one that git does not know, and in which nothing else stands, is not among them
};
enum class Untracked { no, all };
// `git status --porcelain=v2 -z`. `write_index`: may refresh the index (only for the slot's owner), and takes away what git
// would wait for without end (see blocking_files.hpp); else such a file is an error.
// `patience`: how long git may take before that is looked for where git tracks nothing; a status of very many files may.
[[nodiscard]] TreeLook look(const Git& slot, Untracked untracked, bool write_index,
                            std::chrono::seconds patience = std::chrono::seconds(60));

// Paths that are in `to` but not in `from`, or change their type: where an untracked file may be in the way.
[[nodiscard]] std::vector<std::string> paths_added(const Git& slot, const Oid& from, const Oid& to);
// Which of `paths` exist in the working tree, or have a non-directory as a leading component: the things in the way, as
// paths relative to the slot, each once, with what git would wait for on its way there. No symlink is followed. `tracked` in
// look()'s sense must be clean before.
[[nodiscard]] std::vector<std::string> in_the_way(const std::string& work_tree, const std::vector<std::string>& paths);
// The same of one path, without what git would wait for. `passed` gets the directories that lead there.
[[nodiscard]] std::optional<std::string> in_its_way(const std::string& work_tree, const std::string& path,
                                                    std::set<std::string>* passed = nullptr);

// What of `look` a forced checkout of `to` would overwrite or remove although git does not track it: git asks nobody then.
struct Trodden {
  std::vector<std::string> files;
  std::vector<std::string> repositories;  // nested ones, by their directory
};
// `which`: of repositories alone where the files are not asked for.
Trodden trodden_by_reset(const Git& slot, const TreeLook& look, const Oid& to, Untracked which = Untracked::all);

// A tree that was never checked out: everything of `at`, on a new branch (one `git checkout -f`). Progress as percentages.
void checkout_fresh(const Git& slot, const std::string& branch, const Oid& at);
// A clean tree to `at`, on a new branch: one `git switch -q --no-track -c`. branch_exists when it exists or conflicts.
void switch_to_new(const Git& slot, const std::string& branch, const Oid& at);
// A clean tree and its index from `from`, where HEAD stands detached, to `to`: `git restore` of what differs where that is a
// few plain files; else `git read-tree -m -u`, or `git reset --keep` where the index is large. They read and write what
// differs, while a switch looks at every file first: 6 and 10 ms of CPU against 16 with 5,000 files. Where HEAD stands then,
// `from` or `to`; nothing: git would not, and nothing has changed. What stands untracked in its way must have been cleared
// before; git refuses what is not ignored, and overwrites the rest. The index it wrote may not be synced: that is the caller's,
// who has other files to wait for, and opens it for that.
[[nodiscard]] std::optional<Oid> bring_tree(const Git& slot, const Oid& from, const Oid& to);
[[nodiscard]] Fd open_index(const Git& slot);
// A clean or fresh tree to an existing branch, at its own tip. Refused by git when it is checked out elsewhere.
void switch_to_existing(const Git& slot, const std::string& branch, bool fresh);
// Detached at `at`, tracked files exactly as there; untracked files stay, unless they are in the way.
void reset_hard(const Git& slot, const Oid& at);

// assume-unchanged and skip-worktree bits (beyond the pool's own sparse set) that hide changes from status: cleared. Returns
// the paths of those that still have the second, since nothing stands there: whoever had the slot left them out of the tree,
// and they are not deleted.
[[nodiscard]] std::vector<std::string> clear_hiding_bits(const Git& slot, const std::string& entry);
// The paths with such a bit that differ from HEAD all the same. The slot's index stays as it is: git is asked of a copy of it.
[[nodiscard]] std::vector<std::string> hidden_changes(const Git& slot, const std::string& entry);
// Before a reset_hard, which then writes these too.
void no_longer_left_out(const Git& slot, const std::vector<std::string>& paths);
// config.worktree, info/sparse-checkout as git made them, or gone: `pristine` holds the former. Before any git in the slot.
void restore_private_config(const std::string& entry, const std::string& pristine);
void keep_private_config(const std::string& entry, const std::string& pristine);
// Has it sparse patterns? Which files the index leaves out may then be by somebody else's, and no status says so: a reset_hard
// goes by these.
[[nodiscard]] bool is_sparse(const std::string& entry);
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
