// Is anything of a commit lacking in another one? Six questions on two ids, cheapest first, up to the first yes; never a name,
// a date, or a ref that is gone. An error is "not known", which is never "merged". Answers are kept by the two ids, for good:
// 16,384 of them, those used least recently dropped first; nothing is on disk. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/git/process/git.hpp"
#include "proto/messages.hpp"

namespace wtpool::git {

struct Counts {
  std::int64_t ahead = 0;   // commits of the first that the second has not
  std::int64_t behind = 0;  // commits of the second that the first has not
};
// Nothing when git cannot tell.
[[nodiscard]] std::optional<Counts> counts(const Git& source, const Oid& tip, const Oid& target);

struct Pair {
  Oid tip;
  Oid target;
  friend auto operator<=>(const Pair&, const Pair&) = default;
};
struct Standing {
  Counts counts;
  std::optional<proto::MergedWay> merged;
};
// For each pair its answer; nothing where git cannot tell. All merges of a call are tried by one git, in object stores of their
// own, where no attribute, no configuration and no merge driver has a say: nothing of the source is written.
[[nodiscard]] std::vector<std::optional<Standing>> compare(const Git& source, const std::vector<Pair>& pairs);

// Forgets all answers; for tests and measurements.
void forget_comparisons();

}  // namespace wtpool::git
