// .worktreeinclude: files that git ignores and a new worktree gets all the same, such as .env. The file stands at the top of
// the source's own working tree, in the form of a .gitignore; what it names counts only where git ignores it, by git's own
// word.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

struct Included {
  std::size_t files = 0;  // copied
  std::uint64_t bytes = 0;
  std::size_t left_out = 0;  // since they did not fit
  std::uint64_t left_out_bytes = 0;
};
// Copies them into the directory `to`, sharing their blocks where the disk can. Regular files alone; no symlink is followed on
// either side, nothing is overwritten. In the order of their names, as long as they fit into `limit` bytes in all. `tree` is
// git in the source's own working tree.
[[nodiscard]] Included include_files(const Git& tree, const std::string& to, std::uint64_t limit);

}  // namespace wtpool::git
