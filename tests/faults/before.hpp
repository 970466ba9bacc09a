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
  // A branch that somebody asked wtpool for, so that it may be there or not.
  void asked_for(const std::string& branch) { asked_for_.insert(branch); }
  // What is not as it was, a line each. Branches that leases have now may be anything, and those that leases had before may
  // be gone (short names); refs/wtpool/ and refs/remotes/ are not judged, worktrees below `pool` neither.
  struct Branches {
    std::set<std::string> leased;
    std::set<std::string> given_back;
  };
  [[nodiscard]] std::vector<std::string> differences(const Repo& source, const Branches& branches, const fs::path& pool) const;

 private:
  std::map<std::string, std::string> refs_;       // full name → id
  std::map<std::string, std::string> files_;      // config, hooks and the like → text
  std::map<std::string, std::string> worktrees_;  // path → its paragraph of `worktree list --porcelain`
  std::set<std::string> asked_for_;
  std::string index_, stash_, status_;
};

// Paragraphs of `git worktree list --porcelain`, by path.
[[nodiscard]] std::map<std::string, std::string> worktrees_of(const Repo& source);

}  // namespace wtpool::test
