// The submodules of a commit and where each is pinned, read from its objects: no working tree has a say.
#pragma once

#include <vector>

#include "daemon/git/process/git.hpp"
#include "daemon/git/submodule/declared.hpp"

namespace wtpool::git {

struct PinnedSubmodule {
  DeclaredSubmodule declared;
  Oid at;
};
struct Pins {
  std::vector<PinnedSubmodule> pinned;    // by name
  std::vector<RefusedSubmodule> refused;  // by name; whether the commit has them is not asked
};
// What is declared and is no submodule in the commit is left out, as by git. Throws bad_gitmodules where .gitmodules is no
// plain file, or git cannot read it. Without one: nothing, for one git.
[[nodiscard]] Pins pins_of(const Git& repository, const Oid& commit);

}  // namespace wtpool::git
