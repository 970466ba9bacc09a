// What a .gitmodules declares, judged before anything is written: its text is hostile. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/git/files/gitmodules.hpp"

namespace wtpool::git {

struct DeclaredSubmodule {
  std::string name;
  std::string path;
  std::string url;                     // as it stands there; relative ones too
  bool left_out = false;               // update = none
  std::vector<std::string> tags = {};  // worktreePoolTag
  friend bool operator==(const DeclaredSubmodule&, const DeclaredSubmodule&) = default;
};
struct RefusedSubmodule {
  std::string name;
  std::string why;  // one clause, for a message
  friend bool operator==(const RefusedSubmodule&, const RefusedSubmodule&) = default;
};
struct Declarations {
  std::vector<DeclaredSubmodule> usable;  // by name
  std::vector<RefusedSubmodule> refused;  // by name
};
// Of a key that stands twice the last one counts, as in git.
[[nodiscard]] Declarations declared_submodules(const std::vector<ConfigEntry>& entries);

}  // namespace wtpool::git
