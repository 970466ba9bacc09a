// Questions to an index file, answered without a git process.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace wtpool::git {

// May some entry carry a bit that hides changes from status? False only when every entry was read and none is assume-unchanged
// or skip-worktree. True when one is, and whenever the file is of a form that is not read here (split, unknown version,
// damaged): then git has to be asked.
[[nodiscard]] bool may_hide_changes(const std::filesystem::path& index);

// Is it there, and as no git writes it: empty, cut, or with zeros where its entries were? Also false for what is not read here.
[[nodiscard]] bool is_damaged_index(const std::filesystem::path& index);

// Every directory that one of its entries is in, the top ("") included, relative to it. Nothing: it is not read here (split,
// unknown version, damaged).
[[nodiscard]] std::optional<std::set<std::string>> directories_in(const std::filesystem::path& index);

// What a commit has at a path: a mode of six digits, and the object's id. Nothing: the path is not in it.
struct Expected {
  std::string mode;
  std::string id;
};
// Is each of these paths in the index as expected, and does its file stand in the tree as the index remembers it, by all that a
// stat says, changed last some time before the index was written? As for git, such a file has the content that the index names.
// False also for a path in a merge or hidden by a bit, and for an index that is not read here (as above, or of version 4).
[[nodiscard]] bool stand_as_recorded(const std::filesystem::path& index, const std::filesystem::path& work_tree,
                                     const std::map<std::string, std::optional<Expected>>& paths);

}  // namespace wtpool::git
