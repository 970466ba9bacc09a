// A directory with nothing in it but a commit's .gitattributes and .gitmodules: git 2.39's merge-tree reads both from a working
// tree, and nobody's own has to do with a merge of commits. Gone with the value. Of one job at a time; throws as Git does.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

class AttributeTree {
 public:
  // Of `commit`, for `paths` and the directories above them. Stands in `wtpool/land/` of the common git directory.
  AttributeTree(const Git& place, const Oid& commit, const std::set<std::string>& paths);
  AttributeTree(const AttributeTree&) = delete;
  AttributeTree& operator=(const AttributeTree&) = delete;
  ~AttributeTree();

  [[nodiscard]] Place place() const;  // with this as working tree; the one it was made with where there are no attributes
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }  // empty: there are no attributes

 private:
  Place place_;
  std::filesystem::path directory_;
};

// What processes that were killed left of such; only where no landing of that source runs.
void remove_attribute_trees(const std::string& common_dir);

}  // namespace wtpool::git
