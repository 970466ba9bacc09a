// What git ignores in a slot that is to be taken away whole: build output for the most part, and now and then the one file that
// nobody has a second time.
#pragma once

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

struct Ignored {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  // Those that look like a secret (.env, a private key), and small ones that stand alone beside tracked files and were written
  // since `young_since`: by hand, as far as can be told. Relative to the slot.
  std::vector<std::string> precious;
};
// `young_since`: seconds, UTC.
[[nodiscard]] Ignored ignored_in(const Git& slot, std::int64_t young_since);

[[nodiscard]] bool looks_secret(const std::string& path);

}  // namespace wtpool::git
