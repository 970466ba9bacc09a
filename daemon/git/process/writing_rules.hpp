// Everything beside a commit that decides how git writes its files: configuration, attributes of the repository and of the
// user, filters that may run. A slot whose files were written by other rules than today's has other bytes than a fresh one.
#pragma once

#include <string>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// A short text, equal as long as these are. Of the source: what one slot's own configuration says is not in it.
[[nodiscard]] std::string writing_rules(const Git& source);

}  // namespace wtpool::git
