// git killed in the middle of what the daemon asked of it, and, to compare with, in the middle of the same by hand.
#pragma once

#include "tests/faults/machines.hpp"

namespace wtpool::test {

[[nodiscard]] Report git_kills(const Task& task);

// Of `amount` plain `git worktree add`s killed: how many left a source in which `worktree list`, `branch` or `fsck` fail.
struct BareGit {
  int killed = 0;
  int unusable = 0;
  int points = 0;           // kill points of one `worktree add`, by strace; 0: there is no strace
  int unusable_points = 0;  // at how many of them the source is unusable
};
[[nodiscard]] BareGit bare_git_kills(unsigned seed, int amount);

}  // namespace wtpool::test
