#include "daemon/core/state/slot.hpp"

namespace wtpool::core {

bool can_be_healed(const Slot& slot) {
  return slot.phase == Phase::idle || slot.phase == Phase::fresh || slot.phase == Phase::quarantined;
}

std::optional<nanoseconds> time_to_live(const Slot& slot, Now now) {
  if (!slot.lease->ttl) return std::nullopt;
  return after(now.awake, *slot.lease->ttl);
}

}  // namespace wtpool::core
