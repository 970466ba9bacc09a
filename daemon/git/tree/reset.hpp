// A reset that overwrites nothing: where whoever had the slot may still be writing, what stands in the way of a file is his, and
// is looked at again.
#pragma once

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// The index is that of `at`, and its files that are missing are written. HEAD stays; what stands already stays, whatever it is.
void reset_beside(const Git& slot, const Oid& at);

}  // namespace wtpool::git
