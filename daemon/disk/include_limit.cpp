#include "daemon/disk/include_limit.hpp"

#include <limits>

namespace wtpool::disk {
namespace {

constexpr std::uint64_t kUnsaid = std::uint64_t{1} << 30U;

}  // namespace

std::uint64_t include_limit(const ConfigMap& map) {
  const auto bytes = map.number("include", 0, std::numeric_limits<std::int64_t>::max());
  return bytes ? static_cast<std::uint64_t>(*bytes) : kUnsaid;
}

std::uint64_t include_limit(const std::string& text) {
  try {
    std::set<std::string> keys;
    for (const auto& entry : yaml::load_map(text)) keys.insert(entry.first.Scalar());
    return include_limit(ConfigMap(text, {}, keys));
  } catch (const yaml::Fault&) {
    return 0;
  } catch (const proto::Error&) {
    return 0;
  }
}

}  // namespace wtpool::disk
