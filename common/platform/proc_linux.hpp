// Reading /proc. Linux only; included by the Linux twins alone.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace wtpool::platform {

struct ProcStat {
  char state = '?';
  std::int64_t parent = 0;
  std::int64_t group = 0;
  std::uint64_t start = 0;  // clock ticks since boot
  [[nodiscard]] bool ended() const { return state == 'Z' || state == 'X' || state == 'x'; }
};

[[nodiscard]] std::optional<ProcStat> proc_stat(std::int64_t pid);
// Every pid there is now, until `visit` says false. False when they cannot be listed.
bool for_each_process(const std::function<bool(std::int64_t)>& visit);

}  // namespace wtpool::platform
