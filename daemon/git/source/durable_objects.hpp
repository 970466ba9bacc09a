// Objects that a holder's own git wrote. git syncs no loose object unless told to, and a git that is told to does not write,
// and so not sync, an object that is there already: what is kept of a holder's work is made durable here, whoever wrote it.
#pragma once

#include <vector>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// Every object reachable from `tips` and not from `known` has been read whole, and is on the disk, when this returns (packs
// are: git syncs them by default). Ids in `known` that name nothing are passed over. Throws quarantined when one is missing or
// damaged, as those are that a power loss took half of, and io_error when one cannot be synced.
void make_durable(const Git& git, const std::vector<Oid>& tips, const std::vector<Oid>& known);

// Whether git's words are of an object that is missing or damaged, and not of its configuration, or of whatever else it ended
// with 128 for.
[[nodiscard]] bool speaks_of_an_object(const std::string& stderr_text);

}  // namespace wtpool::git
