// Where the parts of an entry go, level by level. Pure: what stands in the slot, and what git would ignore there, is told.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "daemon/store/listing.hpp"

namespace wtpool::store {

enum class Standing { nothing, directory, own_graft, other };  // own_graft: a symlink into the store's entries

struct Candidate {
  std::string target;  // path in the entry
  NodeKind kind = NodeKind::file;
  Standing standing = Standing::nothing;
  bool ignored = false;  // git would not show the symlink (or, where it is copied, the file or directory)
};

struct Level {
  std::vector<std::string> grafts;      // are put there, as one
  std::vector<std::string> below;       // directories whose content is the next level
  std::vector<std::string> make;        // those of them that have to be made first
  std::vector<std::string> overridden;  // something else stands there, and stays
  std::vector<std::string> refused;     // git would show them
};

struct GraftRules {
  std::vector<std::string> real;    // directories that are made, and not grafted as one; paths in the entry
  bool force = false;               // also what git would show
  std::set<std::string> kept = {};  // thawed or copied before: they stay; paths relative to the top
};

// Is `target` one of the real directories, or on the way to one?
[[nodiscard]] bool is_real(const GraftRules& rules, const std::string& target);
[[nodiscard]] Level plan_level(const std::vector<Candidate>& candidates, const GraftRules& rules);

}  // namespace wtpool::store
