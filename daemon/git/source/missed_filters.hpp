// What .gitattributes ask for. Any thread; throws as Git does.
#pragma once

#include <string>
#include <vector>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// Filter drivers that are configured, that attributes of `commit` or of the source name, and that may not run: files with one
// of them stand in a slot as git stores them, and git in the slot, which does run it, takes them for changed. Sorted. Of what
// cannot be read nothing is said.
[[nodiscard]] std::vector<std::string> drivers_missed(const Git& source, const Oid& commit);

}  // namespace wtpool::git
