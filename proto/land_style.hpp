// How a landing joins the work of a slot with its target.
#pragma once

#include <optional>
#include <string_view>

namespace wtpool::proto {

enum class LandStyle { merge, no_ff, squash, rebase };

[[nodiscard]] std::string_view to_text(LandStyle value);  // merge, no-ff, squash, rebase
[[nodiscard]] std::optional<LandStyle> land_style_from(std::string_view text);

}  // namespace wtpool::proto
