#include "daemon/core/state/slot_ids.hpp"

#include <algorithm>

namespace wtpool::core {

SlotId slot_id(const std::optional<std::string>& group, int number) {
  return SlotId(group.value_or("slot") + "-" + std::to_string(number));
}

std::optional<SlotParts> parse_slot_id(std::string_view text) {
  const auto dash = text.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  const std::string_view group = text.substr(0, dash);
  const std::string_view digits = text.substr(dash + 1);
  if (digits.empty() || digits.size() > 9 || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  const auto is_group_char = [&](char c) { return is_digit(c) || is_letter(c) || c == '_' || c == '.' || c == '-'; };
  if (!is_letter(group.front()) || !std::all_of(group.begin(), group.end(), is_group_char)) return std::nullopt;
  // `ios-1-2` would be slot 2 of a group that reads like a slot itself.
  const auto tail = group.substr(group.rfind('-') == std::string_view::npos ? 0 : group.rfind('-') + 1);
  if (tail.empty() || std::all_of(tail.begin(), tail.end(), is_digit)) return std::nullopt;
  SlotParts parts;
  if (group != "slot") parts.group = std::string(group);
  for (const char c : digits) parts.number = parts.number * 10 + (c - '0');
  return parts;
}

}  // namespace wtpool::core
