// What slot ids look like: `slot-N` without groups, `GROUP-N` with them. Pure text; nothing here knows a path.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proto/ids.hpp"

namespace wtpool::core {

[[nodiscard]] SlotId slot_id(const std::optional<std::string>& group, int number);

struct SlotParts {
  std::optional<std::string> group;
  int number = 0;
};
// `slot-N` is no group's, `G-N` is G's; nothing for any other text (leading zeros and more than nine digits included).
[[nodiscard]] std::optional<SlotParts> parse_slot_id(std::string_view text);

}  // namespace wtpool::core
