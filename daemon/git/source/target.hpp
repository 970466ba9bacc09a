// The branch that work goes to, and which of its two refs a piece of work is compared with: T, the branch itself, or U, its
// upstream. Names alone; their values come out of a RefSnapshot.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/git/process/git.hpp"
#include "daemon/git/source/ref_snapshot.hpp"

namespace wtpool::git {

struct Target {
  std::string branch;                                   // short name
  std::string local;                                    // T: refs/heads/<branch>
  std::string upstream;                                 // U: full name of a remote-tracking or local ref; empty: it has none
  [[nodiscard]] std::vector<std::string> refs() const;  // those that a snapshot of it needs
};

// Of a branch by its short or full name; what git says is its upstream, by the configuration of its remote. One `git config`,
// remembered while no configuration file changes.
[[nodiscard]] Target target_named(const Git& source, const std::string& branch);
// Of a pool: the branch that `default_commit` names. A remote-tracking ref named there is U itself. Nothing when it names no
// branch (an id, a tag, an expression).
[[nodiscard]] std::optional<Target> target_of(const Git& source, const std::string& default_commit);

// The ref to compare with, and its value. Two when they went apart: the second is U.
struct Compared {
  std::string ref;
  Oid oid;
};
[[nodiscard]] std::vector<Compared> compared_refs(const Git& source, const Target& target, const RefSnapshot& refs);

}  // namespace wtpool::git
