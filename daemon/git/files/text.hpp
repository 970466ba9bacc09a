// Small readings of git's output, shared in this room.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/ids.hpp"

namespace wtpool::git {

// The parts between separators; a separator at the end adds no empty part.
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
// Without newlines and spaces at the end.
[[nodiscard]] std::string trimmed(std::string_view text);
// 40 or 64 lower-case hex digits, and not all zero.
[[nodiscard]] std::optional<Oid> oid_from(std::string_view text);

// The last percentage in a progress line of git's.
[[nodiscard]] std::optional<int> percent_in(std::string_view text);

}  // namespace wtpool::git
