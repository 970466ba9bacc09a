// The submodules of a commit, all levels, brought into a slot from the host's mirrors, one for each URL.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "daemon/git/process/git.hpp"
#include "daemon/git/submodule/declared.hpp"

namespace wtpool::git {

struct SubmoduleSources {
  std::filesystem::path root;                   // of all pools: mirrors stand below it
  std::string source_url;                       // relative URLs are resolved against it
  std::optional<std::string> mirror_mode = {};  // bare-mirror or git-modules: fetched from below mirror_base
  std::string mirror_base = {};
  std::vector<std::string> excluded_tags = {};  // of the top level
};
struct BroughtSubmodule {
  std::string path;  // from the slot's top
  std::string name;
  std::string mirror;
  Oid at;
};
struct Brought {
  std::vector<BroughtSubmodule> submodules;  // a parent before its children
  std::vector<RefusedSubmodule> refused;     // names of all levels
};

// A mirror that is not there is made, and a commit that it lacks is fetched by its id; else no remote is asked. Throws what
// make_mirror, fetch_from and fill_submodule throw, and commit_unknown, naming path, URL, id and the commit above it, for a
// commit that no remote has. `tree` stands at `commit`.
Brought bring_submodules(const Git& tree, const Oid& commit, const SubmoduleSources& sources);

}  // namespace wtpool::git
