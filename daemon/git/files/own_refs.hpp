// Refs that a worktree has for itself, below refs/worktree: checkpoints of tools, which are work.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "proto/ids.hpp"

namespace wtpool::git {

// What those of an entry lead to, by what follows refs/worktree/ in their names. Plain reads; no symlink is followed.
[[nodiscard]] std::vector<std::pair<std::string, Oid>> own_refs(const std::string& entry);

}  // namespace wtpool::git
