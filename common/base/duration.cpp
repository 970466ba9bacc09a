#include "common/base/duration.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace wtpool {

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  using Unit = std::pair<std::string_view, std::int64_t>;
  static constexpr std::array<Unit, 5> kUnits{{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  constexpr std::int64_t kLongest = std::int64_t{36'500} * 86'400'000;
  if (text.empty() || text.front() == '-') return std::nullopt;
  std::int64_t count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed != std::errc{}) return std::nullopt;
  const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const auto& [unit, milliseconds] : kUnits) {
    if (suffix != unit) continue;
    if (count > kLongest / milliseconds) return std::nullopt;
    return std::chrono::milliseconds(count * milliseconds);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed != std::errc{}) return std::nullopt;
  const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  if (suffix.empty()) return count;
  static constexpr std::string_view kUnits = "KMGT";
  const std::size_t unit = kUnits.find(suffix.front());
  if (suffix.size() != 1 || unit == std::string_view::npos) return std::nullopt;
  const unsigned shift = 10 * (static_cast<unsigned>(unit) + 1);
  if (count > (std::uint64_t{1} << 62 >> shift)) return std::nullopt;
  return count << shift;
}

}  // namespace wtpool
