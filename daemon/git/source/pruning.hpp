// A source whose fetch deletes what is kept: a mirror's refspec fills all refs, and with --prune takes away those that its
// remote has not, refs/wtpool/* and the branches of leases among them.
#pragma once

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// Remotes that do so, since nothing in their refspecs leaves refs/wtpool/* out.
[[nodiscard]] std::vector<std::string> remotes_that_prune_all(const Git& source);
// What is said of one, and the command that protects what is kept.
[[nodiscard]] std::string prune_warning(const std::string& common_dir, const std::string& remote);
[[nodiscard]] std::string prune_remedy(const std::string& common_dir, const std::string& remote);

}  // namespace wtpool::git
