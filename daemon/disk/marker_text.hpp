// The fields of a marker as text, shared by markers and intents. Internal to this room.
#pragma once

#include <string>

#include "daemon/core/state/values.hpp"
#include "daemon/disk/yaml.hpp"

namespace wtpool::disk {

// A text that wtpool wrote starts with such a line and ends with kLastLine: one that lost its end is then known as such,
// also where what is left of it would be a whole marker of worktree-pool. To other readers both are comments.
inline constexpr std::string_view kMarkerLine = "# wtpool marker\n";
inline constexpr std::string_view kIntentLine = "# wtpool intent\n";
inline constexpr std::string_view kLastLine = "# end\n";

[[nodiscard]] std::string marker_fields(const core::Marker& marker);
// Throws yaml::Fault.
[[nodiscard]] core::Marker marker_from(const YAML::Node& map);
// `text` is that of a `first_line` file and whole, or has no such line at all (then false). Throws yaml::Fault when cut.
[[nodiscard]] bool is_whole(const std::string& text, std::string_view first_line);

}  // namespace wtpool::disk
