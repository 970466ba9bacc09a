#include "daemon/disk/template_record.hpp"

#include "common/base/clock.hpp"
#include "common/files/files.hpp"
#include "daemon/disk/yaml.hpp"

namespace wtpool::disk {
namespace {

constexpr std::size_t kMostText = std::size_t{64} << 20;

std::string line(std::string_view key, std::string_view value) { return std::string(key) + ": " + yaml::scalar(value) + "\n"; }
std::string line(std::string_view key, std::int64_t value) { return std::string(key) + ": " + std::to_string(value) + "\n"; }

std::string text_at(const YAML::Node& map, const char* key) {
  const YAML::Node value = map[key];
  return value && value.IsScalar() ? value.Scalar() : std::string{};
}

std::int64_t number_at(const YAML::Node& map, const char* key) { return yaml::whole_number(text_at(map, key)).value_or(0); }

std::string text_of(const CarriedPath& carried) {
  std::string text = "  - path: " + yaml::scalar(carried.path) + "\n    files: " + std::to_string(carried.files) +
                     "\n    bytes: " + std::to_string(carried.bytes) + "\n";
  if (carried.guards.empty()) return text;
  text += "    guards:\n";
  for (const Guard& guard : carried.guards)
    text += "      - path: " + yaml::scalar(guard.path) + "\n        id: " + yaml::scalar(guard.id) + "\n";
  return text;
}

CarriedPath carried_from(const YAML::Node& map) {
  CarriedPath carried{text_at(map, "path"), number_at(map, "files"), number_at(map, "bytes"), {}};
  if (const YAML::Node guards = map["guards"]; guards && guards.IsSequence())
    for (const YAML::Node& guard : guards) carried.guards.push_back({text_at(guard, "path"), text_at(guard, "id")});
  return carried;
}

}  // namespace

void write_template_record(const std::filesystem::path& file, const TemplateRecord& record) {
  std::string text = line("id", record.id);
  if (record.group) text += line("group", *record.group);
  text += line("commit", record.commit.str()) + line("made_at", rfc3339_utc(record.made_at)) + line("made_ns", record.made_ns) +
          line("slot", record.slot) + line("create", record.create) + line("files", record.files) +
          line("bytes", record.bytes) + line("disk_bytes", record.disk_bytes) + line("settings", record.settings);
  if (record.generation) text += line("generation", static_cast<std::int64_t>(*record.generation));
  text += line("boot_id", record.boot_id);
  if (!record.carried.empty()) text += "carried:\n";
  for (const CarriedPath& carried : record.carried) text += text_of(carried);
  if (!record.left_out.empty()) text += "left_out:\n";
  for (const auto& left : record.left_out)
    text += "  - path: " + yaml::scalar(left.path) + "\n    reason: " + yaml::scalar(left.reason) + "\n";
  if (record.synced) text += "synced: true\n";
  write_durably(file, text, 0644);
}

std::optional<TemplateRecord> read_template_record(const std::filesystem::path& file) {
  try {
    const auto text = read_file(file, kMostText);
    if (!text) return std::nullopt;
    const YAML::Node map = yaml::load_map(*text, kMostText);
    TemplateRecord record;
    record.id = text_at(map, "id");
    if (map["group"]) record.group = text_at(map, "group");
    record.commit = Oid(text_at(map, "commit"));
    record.made_ns = number_at(map, "made_ns");
    record.made_at = record.made_ns / 1'000'000'000;
    record.slot = text_at(map, "slot");
    record.create = text_at(map, "create");
    record.files = number_at(map, "files");
    record.bytes = number_at(map, "bytes");
    record.disk_bytes = number_at(map, "disk_bytes");
    record.settings = text_at(map, "settings");
    if (map["generation"]) record.generation = static_cast<std::uint64_t>(number_at(map, "generation"));
    record.boot_id = text_at(map, "boot_id");
    record.synced = text_at(map, "synced") == "true";
    if (const YAML::Node carried = map["carried"]; carried && carried.IsSequence())
      for (const YAML::Node& one : carried) record.carried.push_back(carried_from(one));
    if (const YAML::Node left = map["left_out"]; left && left.IsSequence())
      for (const YAML::Node& one : left) record.left_out.push_back({text_at(one, "path"), text_at(one, "reason")});
    if (record.id.empty() || record.commit.empty() || record.made_ns <= 0) return std::nullopt;
    return record;
  } catch (const yaml::Fault&) {
    return std::nullopt;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace wtpool::disk
