// What is wanted of a remote, by those who ask for it: one fetch brings it for all of them.
#pragma once

#include <set>
#include <string>

namespace wtpool::core {

struct Wants {
  // Commits as they were asked for: full ids, branches, tags, `origin/x`, `refs/...`, with or without `~2` and the like.
  std::set<std::string> commits;
  bool all = false;  // every branch, and those that are gone at the remote pruned from a mirror

  void add(const Wants& more) {
    commits.insert(more.commits.begin(), more.commits.end());
    all = all || more.all;
  }
  [[nodiscard]] bool empty() const { return commits.empty() && !all; }
  friend bool operator==(const Wants&, const Wants&) = default;
};

}  // namespace wtpool::core
