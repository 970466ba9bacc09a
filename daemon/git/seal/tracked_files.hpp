// The tracked files of a slot by their directories, from its index: what a seal has to watch.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

struct TrackedDirectory {
  std::string path;                // relative to the slot; empty for the slot itself
  bool may_be_absent = true;       // nothing is checked out in it, nor below
  std::vector<const char*> files;  // names of regular files that are checked out
};

// Views into `listing`: neither copied nor moved.
struct Tracked {
  std::string listing;
  std::vector<TrackedDirectory> directories;  // each behind its parent, the slot itself first
  std::vector<std::string> submodules;        // which are directories too
  std::vector<std::string> left_out;          // skip-worktree, as in a sparse slot: git does not look whether they are there
  std::optional<std::string> hidden;          // an entry with assume-unchanged
  std::optional<std::string> unmerged;
  std::optional<std::string> strange;  // a path that leads out of the slot, or a line that is none of git's
  std::size_t files = 0;

  Tracked() = default;
  Tracked(const Tracked&) = delete;
  Tracked& operator=(const Tracked&) = delete;
};
void list_tracked(const Git& slot, Tracked& tracked);

}  // namespace wtpool::git
