// A three-way merge of trees, and the commits made from it, in the object store alone. Of one job at a time; throws as Git
// does.
#pragma once

#include <string>
#include <vector>

#include "daemon/git/work/attribute_tree.hpp"

namespace wtpool::git {

struct Conflict {
  std::string path;
  std::string kind;  // git's word: contents, modify/delete, submodule, ...
  friend auto operator<=>(const Conflict&, const Conflict&) = default;
};

struct MergedTrees {
  Oid tree;                         // with conflict markers where there are conflicts
  std::vector<Conflict> conflicts;  // sorted by path, each path once
};

class TreeMerger {
 public:
  // Attributes are those of `target`, for what `tip` has changed. `drivers`: merge drivers that may run. Every other one that
  // is configured is replaced by git's own merge of text.
  TreeMerger(const Git& place, const Oid& target, const Oid& tip, const std::vector<std::string>& drivers);

  // What `git merge-tree --write-tree` makes of two commits. Those without a common commit are a conflict.
  [[nodiscard]] MergedTrees merge(const Oid& ours, const Oid& theirs) const;
  // As if `base` were the merge base of two commits with these trees.
  [[nodiscard]] MergedTrees merge_on(const Oid& base_tree, const Oid& our_tree, const Oid& their_tree) const;

  [[nodiscard]] Oid write_commit(std::string raw) const;  // a commit object, byte by byte

 private:
  [[nodiscard]] Command command(std::vector<std::string> arguments) const;
  [[nodiscard]] Oid helper_commit(const Oid& tree, const Oid* parent) const;

  AttributeTree attributes_;
  Git place_;
  std::vector<std::pair<std::string, std::string>> environment_;  // switches drivers off
};

}  // namespace wtpool::git
