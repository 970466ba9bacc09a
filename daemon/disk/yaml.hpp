// YAML as this room uses it: one map of a document, read with its faults turned into values, and scalars written so that any
// YAML reader gives back the same text. Internal to this room.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wtpool::disk::yaml {

inline constexpr std::size_t kMaxText = 64 * 1024;

// Why a text, or a value in it, is not what it should be, and where: line and column count from 1, 0 = nowhere in particular.
struct Fault {
  int line = 0;
  int column = 0;
  std::string what;
};

// The one map that the text is; an empty document is an empty map. Throws Fault and nothing else: for what is no YAML, no map,
// more than one document, a key that is no scalar or stands twice, NUL bytes, or more than `limit` bytes.
[[nodiscard]] YAML::Node load_map(const std::string& text, std::size_t limit = kMaxText);

[[nodiscard]] Fault fault_at(const YAML::Node& node, std::string what);

// A whole decimal number, nothing else around it.
[[nodiscard]] std::optional<std::int64_t> whole_number(std::string_view text);

// `text` as a scalar on one line: plain where that reads back as the same string, else in double quotes.
[[nodiscard]] std::string scalar(std::string_view text);

}  // namespace wtpool::disk::yaml
