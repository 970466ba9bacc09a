// How long this host was seen to be running, whatever its wall clock says: what is kept in the trash grows old by it alone.
// A clock that steps ahead makes nothing old, and one that stood in the past keeps nothing for ever.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "daemon/disk/layout.hpp"

namespace wtpool::disk {

// One look at the clocks. `boot_id` names a start of the machine, `awake` counts the seconds since then.
struct ClockLook {
  std::string boot_id;
  std::int64_t awake = 0;
  std::int64_t wall = 0;
  friend bool operator==(const ClockLook&, const ClockLook&) = default;
};

struct RunningTime {
  std::int64_t seconds = 0;  // that the host was running, up to the last look
  ClockLook last;
  friend bool operator==(const RunningTime&, const RunningTime&) = default;
};

// The time at `now`: within one boot what its own clock counted, after another boot what that one lasted until now. What passed
// between the last look and the end of its boot is not counted, so nothing is ever older than it is.
[[nodiscard]] RunningTime at(const std::optional<RunningTime>& before, const ClockLook& now);
// By how much the wall clock was set between two looks of the same boot; 0 where it cannot be told.
[[nodiscard]] std::int64_t leap_between(const RunningTime& before, const ClockLook& now);

void write_running_time(const path& file, const RunningTime& time);
[[nodiscard]] std::optional<RunningTime> read_running_time(const path& file);  // nothing: none there, or not to be read

}  // namespace wtpool::disk
