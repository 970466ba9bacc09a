// What may stand next on a command line, for the completions of shells: what the options themselves say, so that a new verb is
// completed without a line here. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wtpool::client {

enum class Live { none, pools, held, slots, trash };  // what only the daemon knows

struct Candidates {
  std::vector<std::string> words;   // that begin with the word being typed
  Live live = Live::none;           // and these besides
  std::optional<std::string> pool;  // of --pool, when it was typed
};

// `words`: what stands behind the program's name; the last one is being typed, and may be empty.
[[nodiscard]] Candidates candidates_for(const std::vector<std::string>& words);

// The verb that is meant by a misspelt one: at most two letters differ. Null when none is that near.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace wtpool::client
