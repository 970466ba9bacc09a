// What differs between two commits, path by path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

inline constexpr std::string_view kNothing = "000000";
inline constexpr std::string_view kSubmodule = "160000";

struct Change {
  std::string path;
  std::string old_mode;  // six digits, as git says them; kNothing where there is none
  std::string new_mode;
  std::string old_id;  // hexadecimal
};
// Renames are an addition and a removal. Asks the source's helper, or runs one `git diff-tree`.
[[nodiscard]] std::vector<Change> changes_between(const Git& slot, const Oid& from, const Oid& to);

}  // namespace wtpool::git
