#include "proto/land_style.hpp"

namespace wtpool::proto {

std::string_view to_text(LandStyle value) {
  switch (value) {
    case LandStyle::merge:
      return "merge";
    case LandStyle::no_ff:
      return "no-ff";
    case LandStyle::squash:
      return "squash";
    case LandStyle::rebase:
      return "rebase";
  }
  return "merge";
}

std::optional<LandStyle> land_style_from(std::string_view text) {
  for (const LandStyle style : {LandStyle::merge, LandStyle::no_ff, LandStyle::squash, LandStyle::rebase})
    if (to_text(style) == text) return style;
  return std::nullopt;
}

}  // namespace wtpool::proto
