// SIZE, a whole number of bytes, or with K, M, G or T (1024): nothing when it is not of that form. And DUR, the one way to
// write a length of time: a whole number with ms, s, m, h or d. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wtpool {

// Nothing when it is not of that form, or longer than a hundred years.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace wtpool
