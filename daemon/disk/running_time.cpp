#include "daemon/disk/running_time.hpp"

#include <algorithm>
#include <charconv>

#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/disk/yaml.hpp"

namespace wtpool::disk {
namespace {

std::int64_t number_at(const YAML::Node& map, const char* key) {
  const YAML::Node node = map[key];
  if (!node.IsDefined() || !node.IsScalar()) throw yaml::Fault{0, 0, std::string("it has no ") + key};
  const std::string& text = node.Scalar();
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size())
    throw yaml::Fault{0, 0, std::string("its ") + key + " is no number"};
  return number;
}

}  // namespace

RunningTime at(const std::optional<RunningTime>& before, const ClockLook& now) {
  if (!before) return {0, now};
  const bool same_boot = before->last.boot_id == now.boot_id;
  const std::int64_t passed = same_boot ? now.awake - before->last.awake : now.awake;
  return {before->seconds + std::max<std::int64_t>(passed, 0), now};
}

std::int64_t leap_between(const RunningTime& before, const ClockLook& now) {
  if (before.last.boot_id != now.boot_id) return 0;
  return (now.wall - before.last.wall) - (now.awake - before.last.awake);
}

void write_running_time(const path& file, const RunningTime& time) {
  write_durably(file, "seconds: " + std::to_string(time.seconds) + "\nboot_id: " + yaml::scalar(printable(time.last.boot_id)) +
                          "\nawake: " + std::to_string(time.last.awake) + "\nwall: " + std::to_string(time.last.wall) + "\n");
}

std::optional<RunningTime> read_running_time(const path& file) {
  try {
    const auto text = read_file(file, yaml::kMaxText);
    if (!text) return std::nullopt;
    const YAML::Node map = yaml::load_map(*text);
    const YAML::Node boot = map["boot_id"];
    if (!boot.IsDefined() || !boot.IsScalar()) return std::nullopt;
    const std::int64_t seconds = number_at(map, "seconds");
    if (seconds < 0) return std::nullopt;
    return RunningTime{seconds, {boot.Scalar(), number_at(map, "awake"), number_at(map, "wall")}};
  } catch (const yaml::Fault&) {
    return std::nullopt;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace wtpool::disk
