#include "daemon/disk/layout.hpp"

#include "common/names.hpp"
#include "daemon/disk/yaml.hpp"

namespace wtpool::disk {

SlotId slot_id(const std::optional<std::string>& group, int number) {
  return SlotId(group.value_or("slot") + "-" + std::to_string(number));
}

std::optional<SlotParts> parse_slot_id(std::string_view text) {
  const std::size_t dash = text.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view group = text.substr(0, dash);
  const std::string_view digits = text.substr(dash + 1);
  if (digits.empty() || digits.size() > 9 || digits.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  SlotParts parts;
  parts.number = static_cast<int>(*yaml::whole_number(digits));
  if (group == "slot") return parts;
  if (bad_group(group)) return std::nullopt;
  parts.group = std::string(group);
  return parts;
}

}  // namespace wtpool::disk
