#include "common/platform/process.hpp"

namespace wtpool::platform {

bool alive(const ProcessStamp& stamp) {
  if (stamp.boot_id != boot_id()) return false;
  const auto now = stamp_of(stamp.pid);
  return now && now->start == stamp.start;
}

}  // namespace wtpool::platform
