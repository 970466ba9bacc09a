// What decides how git writes and reads the files of a checkout.
#pragma once

#include <string>
#include <vector>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// A hash over core.autocrlf, eol, symlinks, fileMode and the like, the filter drivers, those that may run, and info/attributes.
// Trees that were written under another one may differ from a checkout though the commit is the same.
[[nodiscard]] std::string checkout_settings(const Git& source, const std::vector<std::string>& filters);

// The pieces of a slot that git ignores, as `git ls-files -oi --exclude-standard --directory` names them, without the trailing
// slash of directories.
[[nodiscard]] std::vector<std::string> ignored_pieces(const Git& slot);

}  // namespace wtpool::git
