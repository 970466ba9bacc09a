// A checkout that follows its branch: the branch has moved from one commit to another, and index and files are to stand at the
// second, with the owner's changes and files as they are. What would be in the way is asked before the branch moves.
// No hook runs; filters only by the pool's list; no symlink is followed. Of one job at a time; throws as Git does.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

struct Checkout {
  std::string git_dir;    // of the main worktree the common directory, else its entry
  std::string work_tree;  // real path; may be gone
  std::string git_id;     // empty: the main worktree
};
// Every worktree of the source that has refs/heads/<branch> checked out, or in whose rebase or bisect it is. Plain files.
[[nodiscard]] std::vector<Checkout> checkouts_of(const std::string& common_dir, const std::optional<std::string>& worktree,
                                                 const std::string& branch);

// Does HEAD of that worktree, by its private git directory, name refs/heads/<branch>?
[[nodiscard]] bool holds_head(const std::string& git_dir, const std::string& branch);

struct MayFollow {
  std::string blocked;                  // why it cannot; empty: it can
  std::vector<std::string> in_the_way;  // paths, when that is why
  std::vector<std::string> ignored;     // files that git ignores and `after` would overwrite: to be moved away before
};
// A dry run. Writes nothing but the index's own record of file times.
[[nodiscard]] MayFollow may_follow(const Git& checkout, const std::string& branch, const Oid& before, const Oid& after);

// The two-tree update, after a look that found nothing in the way. Throws git_failed where something is in the way now; then
// `catch_up` makes the best of it.
void follow(const Git& checkout, const Oid& before, const Oid& after);

// The same after a kill at any moment, also in the middle of a file. Each path that differs is as before or as after, absent,
// or the beginning of what `after` has: it is brought to `after`; or it is somebody's, and stays as a change. Doing it again
// does nothing. Removes an index.lock that no living git can have made; throws contended while a living one may.
void catch_up(const Git& checkout, const Oid& before, const Oid& after);

}  // namespace wtpool::git
