// The source as its owner left it, before wtpool served it: what nobody but he may change.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/repo.hpp"

namespace wtpool::test {

class Before {
 public:
  static Before of(const Repo& source);
  // What is not as it was, a line each. `branches` are those that leases may have (short names); refs/wtpool/ and
  // refs/remotes/ are not judged, worktrees below `pool` neither.
  [[nodiscard]] std::vector<std::string> differences(const Repo& source, const std::set<std::string>& branches,
                                                     const fs::path& pool) const;

 private:
  std::map<std::string, std::string> refs_;       // full name → id
  std::map<std::string, std::string> files_;      // config, hooks and the like → text
  std::map<std::string, std::string> worktrees_;  // path → its paragraph of `worktree list --porcelain`
  std::string index_, stash_, status_;
};

// Paragraphs of `git worktree list --porcelain`, by path.
[[nodiscard]] std::map<std::string, std::string> worktrees_of(const Repo& source);

}  // namespace wtpool::test
