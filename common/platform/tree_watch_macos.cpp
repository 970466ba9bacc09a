#include <cerrno>

#include "common/platform/tree_watch.hpp"

namespace wtpool::platform {

WatchLimits watch_limits() { return {}; }

std::optional<TreeWatch> TreeWatch::make() {
  errno = ENOTSUP;
  return std::nullopt;
}

int TreeWatch::add(const std::filesystem::path&) {
  errno = ENOTSUP;
  return -1;
}

std::vector<TreeWatch::Event> TreeWatch::drain() { return {}; }

bool TreeWatch::quiet() const { return true; }

}  // namespace wtpool::platform
