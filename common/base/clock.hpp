// Clocks: awake time for every timer (CLOCK_MONOTONIC on Linux, CLOCK_UPTIME_RAW on macOS: suspend does not count), wall
// time for what people read.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace wtpool {

[[nodiscard]] std::chrono::nanoseconds awake_now();
[[nodiscard]] std::int64_t wall_now();                        // UTC seconds since the epoch
[[nodiscard]] std::int64_t booted_at();                       // when this machine was started, by the wall clock of now
[[nodiscard]] std::string compact_utc(std::int64_t seconds);  // 20260505T033456Z
[[nodiscard]] std::string rfc3339_utc(std::int64_t seconds);  // 2026-05-05T03:34:56Z
[[nodiscard]] bool parse_rfc3339(const std::string& text, std::int64_t& seconds);
[[nodiscard]] std::string random_hex(int digits);  // from getrandom(2)/arc4random

}  // namespace wtpool
