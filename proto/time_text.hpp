// The one form of time on the wire and in --json: UTC, whole seconds, `2026-05-05T03:34:56Z`. `rfc3339` in codec.hpp writes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace wtpool::proto {

[[nodiscard]] std::optional<std::int64_t> parse_rfc3339(std::string_view text);  // that very form, else nothing

}  // namespace wtpool::proto
