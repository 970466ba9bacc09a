#include "daemon/disk/land_record.hpp"

#include "common/files/files.hpp"
#include "daemon/disk/yaml.hpp"

namespace wtpool::disk {
namespace {

std::string text_at(const YAML::Node& map, const char* key) {
  const YAML::Node node = map[key];
  return node.IsDefined() && node.IsScalar() ? node.Scalar() : std::string{};
}

std::string line(std::string_view key, const std::string& value) {
  return value.empty() ? std::string{} : std::string(key) + ": " + yaml::scalar(value) + "\n";
}

}  // namespace

path land_dir(const SourceId& source) { return path(source.str()) / "wtpool" / "land"; }
path land_lock(const SourceId& source, const std::string& id) { return land_dir(source) / (id + ".lock"); }

void write_land_record(const SourceId& source, const LandRecord& record) {
  std::string text = line("state", record.state == LandRecord::State::made ? "made" : "advancing") + line("name", record.name) +
                     line("target", record.target) + line("before", record.before.str()) + line("after", record.after.str()) +
                     line("slot", record.slot) + line("git_id", record.git_id) + line("tip", record.tip.str());
  if (!record.checkouts.empty()) text += "checkouts:\n";
  for (const auto& checkout : record.checkouts)
    text += "  - [" + yaml::scalar(checkout.git_dir) + ", " + yaml::scalar(checkout.work_tree) + "]\n";
  make_directories(land_dir(source), 0700, true);
  write_durably(land_dir(source) / (record.id + ".yaml"), text);
}

std::optional<LandRecord> read_land_record(const SourceId& source, const std::string& id) {
  const auto text = read_file(land_dir(source) / (id + ".yaml"), yaml::kMaxText);
  if (!text) return std::nullopt;
  try {
    const YAML::Node map = yaml::load_map(*text);
    LandRecord record;
    record.id = id;
    const std::string state = text_at(map, "state");
    if (state != "made" && state != "advancing") return std::nullopt;
    record.state = state == "made" ? LandRecord::State::made : LandRecord::State::advancing;
    record.name = text_at(map, "name");
    record.target = text_at(map, "target");
    record.before = Oid(text_at(map, "before"));
    record.after = Oid(text_at(map, "after"));
    record.slot = text_at(map, "slot");
    record.git_id = text_at(map, "git_id");
    record.tip = Oid(text_at(map, "tip"));
    if (const YAML::Node list = map["checkouts"]; list.IsDefined() && list.IsSequence()) {
      for (const YAML::Node& each : list)
        if (each.IsSequence() && each.size() == 2) record.checkouts.push_back({each[0].Scalar(), each[1].Scalar()});
    }
    return record;
  } catch (const yaml::Fault&) {
    return std::nullopt;
  } catch (const YAML::Exception&) {
    return std::nullopt;
  }
}

void remove_land_record(const SourceId& source, const std::string& id) {
  (void)unlink_durably(land_dir(source) / (id + ".yaml"));
  std::error_code ignored;
  std::filesystem::remove(land_lock(source, id), ignored);
}

std::vector<std::string> land_ids(const SourceId& source) {
  std::vector<std::string> ids;
  for (const path& file : children_of(land_dir(source)))
    if (file.extension() == ".yaml") ids.push_back(file.stem().string());
  return ids;
}

}  // namespace wtpool::disk
