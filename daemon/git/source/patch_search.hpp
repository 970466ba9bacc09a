// Has one commit of a line of history the whole change of a branch? The question that is left where two ids do not merge
// cleanly, because somebody went on working on what a squash merge had brought.
#pragma once

#include "daemon/git/source/object_room.hpp"

namespace wtpool::git {

// A commit of `base`..`target` that changes exactly the files which differ between `base` and `tip`, by exactly the same patch
// (white space included; a merge counts by what it changes in its first parent), and none behind it takes exactly that back. At
// most the 5,000 latest commits are looked at. `base` is the merge base. Throws git_failed.
[[nodiscard]] bool has_whole_change(const ObjectRoom& room, const Oid& base, const Oid& tip, const Oid& target);

}  // namespace wtpool::git
