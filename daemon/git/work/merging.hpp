// The candidate of a landing: the very commit that is to become the target, made in the object store. No working tree, no index
// and no ref is touched; objects are durable when it returns. Merge drivers run only where they are allowed, since a repository
// chooses them by its attributes; all others are replaced by git's own three-way merge of text.
#pragma once

#include <string>
#include <vector>

#include "daemon/git/work/merge_trees.hpp"
#include "proto/land_style.hpp"

namespace wtpool::git {

struct MergeRequest {
  Oid target;
  Oid tip;
  proto::LandStyle style = proto::LandStyle::merge;
  std::string name;                    // the branch, as messages call it
  std::string target_name;             // short name of the target
  std::optional<std::string> message;  // of the one commit of a squash; absent: as described at `squash_message`
  std::vector<std::string> drivers;    // merge drivers that may run
};

struct Candidate {
  std::optional<Oid> commit;        // absent: there are conflicts, or nothing to land
  std::int64_t commits = 0;         // of the tip that the target lacks
  bool nothing = false;             // the target has all of it already
  std::vector<Conflict> conflicts;  // sorted by path, each once
};

// `place`: the slot, so that git finds its submodules, or the source. Throws git_failed and the like; what does not go together
// is a result.
//   merge   the tip itself where the target is on its first-parent line, else a commit with parents (target, tip)
//   no_ff   always a commit with parents (target, tip)
//   squash  one commit on the target
//   rebase  each commit on its own, oldest first, with its author and message; merges, commits that the target has by their
//           change, and those that become empty are left out. The tip itself where that changes nothing.
[[nodiscard]] Candidate make_candidate(const Git& place, const MergeRequest& request);

// The one commit's message, or NAME and the subjects, oldest first.
[[nodiscard]] std::string squash_message(const Git& place, const MergeRequest& request);

}  // namespace wtpool::git
