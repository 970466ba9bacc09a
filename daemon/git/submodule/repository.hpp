// A slot's repository for one submodule: its own HEAD, index, branches and config, below modules/ of the slot's entry where git
// has it, and its objects borrowed from a mirror on this host that deletes none. So a slot takes the disk of the files alone.
#pragma once

#include <filesystem>
#include <string>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

struct SubmoduleOrder {
  std::string name;    // sound, as declared_submodules says
  std::string path;    // from the top of `tree`; sound
  std::string url;     // resolved; what `fetch` by hand will use
  std::string mirror;  // its git directory, which has `commit`
  Oid commit;
};

// Where it stands, or would.
[[nodiscard]] std::filesystem::path submodule_repository(const Git& tree, const std::string& name);

// Makes the repository by plain files, then the .git file that leads there, then one git that writes the tree. HEAD is detached
// at the commit. Repeated after a kill anywhere it finishes what was begun; one that is finished, or was left when its
// submodule was taken out, keeps its branches, reflog and config, and is brought to the commit by git. Throws blocked, and has
// changed nothing, where something else stands in its place or a symlink leads there; source_missing when the mirror is away.
void fill_submodule(const Git& tree, const SubmoduleOrder& order);

}  // namespace wtpool::git
