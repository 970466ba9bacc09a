// What a program and everything it starts did to the files below one directory, as effects on a simulated disk. Recorded by
// strace, replayed, and compared byte for byte with what really stands there in the end: a recording that is not exact throws.
#pragma once

#include "tests/faults/power/disk.hpp"
#include "tests/faults/power/trace.hpp"

namespace wtpool::test::power {

struct Recording {
  fs::path directory;
  Tree base, end;
  std::vector<Effect> effects;
};

// Effects of `calls` below `directory`, starting from `base` at the call that writes `first_words` to the file `said`. What is
// written to `said`, a line each, becomes Effect::said; what anybody writes to a socket, and has `"result"` in it, an
// Effect::answered. Calls of before then only tell in which directories the processes were.
[[nodiscard]] Recording effects_of(const std::vector<Call>& calls, const fs::path& directory, const Tree& base,
                                   const fs::path& said, const std::string& first_words, const fs::path& start_directory);

// argv of strace for `program`, with everything that effects_of wants to see.
[[nodiscard]] std::vector<std::string> traced(const fs::path& trace, const std::vector<std::string>& program);
// Why strace cannot be used here, or nothing.
[[nodiscard]] std::string why_no_strace();

}  // namespace wtpool::test::power
