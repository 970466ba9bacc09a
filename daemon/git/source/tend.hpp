// Upkeep of a mirror: what makes it faster and smaller, and takes no object away. Never for a repository that is somebody's.
#pragma once

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// Packs its refs, joins its packs by a multi-pack-index (many into one, which then replaces them), and writes its commit graph.
// Throws git_failed, cancelled, git_timeout; every step leaves a whole repository, so that it may be ended at any moment.
void tend_mirror(const Git& mirror);

}  // namespace wtpool::git
