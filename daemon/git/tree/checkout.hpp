// A slot's working tree and index are brought to a commit. The place was proven before each call by the caller; every call is
// for one slot that the calling job owns.
#pragma once

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

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

}  // namespace wtpool::git
