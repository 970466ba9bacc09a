#include "daemon/core/state/values.hpp"

#include <algorithm>

namespace wtpool::core {

nanoseconds after(nanoseconds start, seconds span) {
  const seconds room = std::chrono::duration_cast<seconds>(nanoseconds::max() - start) - seconds(1);
  return start + nanoseconds(std::clamp(span, seconds(0), std::max(room, seconds(0))));
}

}  // namespace wtpool::core
