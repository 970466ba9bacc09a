// Submodules that somebody filled by hand. git has their repositories in modules/ of the slot's entry, so that whatever takes
// the entry away takes them along, and its status of the slot does not say what is changed in them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

struct Submodule {
  std::string path;
  Oid at;  // by the index
};
// By two looks at plain files; without either, nobody can have filled one as git does.
[[nodiscard]] bool may_have_submodules(const Git& tree);
[[nodiscard]] std::vector<Submodule> submodules_of(const Git& tree);

enum class Filling {
  none,       // nothing stands in its directory
  files,      // files, and no repository
  untouched,  // a repository that stands at the index's commit, with nothing changed or added
  touched,    // any other, and whatever cannot be told
};
// git runs in the submodule, but nothing that its configuration names: no filter at all, and no transport. Writes nothing.
[[nodiscard]] Filling filling_of(const Git& tree, const Submodule& submodule);
// Of a directory with a repository, wherever that stands: is there something that its HEAD has not? True when it cannot be
// told.
[[nodiscard]] bool has_changes(const Git& tree, const std::string& path);
// Of such a directory: does git ignore it, and come all its commits from a remote, with nothing changed or added? False when it
// cannot be told.
[[nodiscard]] bool is_ignored_copy(const Git& tree, const std::string& path);
// Where the repository of the submodule at `path` stands, relative to the entry: below modules/. Nothing when it stands
// elsewhere.
[[nodiscard]] std::optional<std::string> own_repository(const Git& tree, const std::string& path);
// Every file in the directories of submodules that have no repository, relative to the tree. git tells of none.
[[nodiscard]] std::vector<std::string> files_in_unfilled(const Git& tree);

// What is changed in submodules, for who asks whether a tree is dirty.
struct SubmoduleLook {
  std::vector<std::string> touched;
  std::vector<std::string> files;  // see files_in_unfilled
};
[[nodiscard]] SubmoduleLook look_at_submodules(const Git& tree);

// Directories below, each with a repository of its own or leading to one, whether git ignores them or not; no symlink is
// followed. Throws where it cannot look.
[[nodiscard]] std::vector<std::string> repositories_in(const std::filesystem::path& work_tree);

}  // namespace wtpool::git
