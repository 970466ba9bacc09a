#include "daemon/disk/marker.hpp"

#include "tests/fuzz/targets.hpp"

namespace wtpool::fuzz {

void marker(std::string_view input) {
  const auto read = disk::parse_marker(std::string(input));
  if (const auto* why = std::get_if<std::string>(&read)) return holds(!why->empty(), "a text that is no marker says why");

  const auto& found = std::get<core::Marker>(read);
  const auto text = disk::format_marker(found);
  const auto again = disk::parse_marker(text);
  if (const auto* why = std::get_if<std::string>(&again))
    throw Broken{"what was written is read, not refused: " + *why + "\n" + text};
  holds(std::get<core::Marker>(again) == found, "what was written is read as the same marker:\n" + text);

  // A crash may leave any beginning of it, or zeros after any beginning.
  std::size_t cut = number_of(input);
  for (int i = 0; i < 4; ++i, cut /= text.size()) {
    auto part = text.substr(0, cut % text.size());
    holds(std::holds_alternative<std::string>(disk::parse_marker(part)), "a marker that was cut is none:\n" + part);
    part.resize(text.size(), '\0');
    holds(std::holds_alternative<std::string>(disk::parse_marker(part)), "a marker with zeros is none:\n" + text);
  }
}

}  // namespace wtpool::fuzz
