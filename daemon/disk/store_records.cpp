#include "daemon/disk/store_records.hpp"

#include <array>
#include <exception>
#include <utility>

#include "common/base/clock.hpp"
#include "daemon/disk/yaml.hpp"

namespace wtpool::disk {
namespace {

constexpr std::size_t kMaxRecord = 64 * 1024 * 1024;
constexpr std::array<std::pair<GraftLink::State, const char*>, 4> kStates{{{GraftLink::State::link, "link"},
                                                                           {GraftLink::State::thawed, "thawed"},
                                                                           {GraftLink::State::copy, "copy"},
                                                                           {GraftLink::State::overridden, "overridden"}}};

// Thrown inside this file alone.
struct NoRecord : std::exception {};

std::string text_at(const YAML::Node& map, const char* key) {
  const YAML::Node node = map[key];
  if (!node.IsDefined() || !node.IsScalar()) throw NoRecord{};
  return node.Scalar();
}

std::string text_or(const YAML::Node& map, const char* key, const std::string& otherwise) {
  const YAML::Node node = map[key];
  return node.IsDefined() && node.IsScalar() ? node.Scalar() : otherwise;
}

std::uint64_t number_at(const YAML::Node& map, const char* key) {
  const auto number = yaml::whole_number(text_at(map, key));
  if (!number || *number < 0) throw NoRecord{};
  return static_cast<std::uint64_t>(*number);
}

const char* text_of(GraftLink::State state) {
  for (const auto& [each, text] : kStates) {
    if (each == state) return text;
  }
  return "link";
}

GraftLink::State state_at(const YAML::Node& map) {
  const std::string written = text_at(map, "state");
  for (const auto& [state, text] : kStates) {
    if (written == text) return state;
  }
  throw NoRecord{};
}

// Paths may be any bytes: those that are no YAML text are written as %XX.
std::string escaped(const std::string& path) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string text;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7F || c == '%') {
      text += '%';
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    } else {
      text += c;
    }
  }
  return text;
}

std::string unescaped(const std::string& text) {
  const auto digit = [](char c) -> unsigned {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
    throw NoRecord{};
  };
  std::string path;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      path += text[i];
      continue;
    }
    if (i + 2 >= text.size()) throw NoRecord{};
    path += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
    i += 2;
  }
  return path;
}

std::string quoted(const std::string& path) { return yaml::scalar(escaped(path)); }

Graft graft_of(const YAML::Node& map) {
  if (!map.IsMap()) throw NoRecord{};
  Graft graft;
  graft.key = text_at(map, "key");
  graft.into = unescaped(text_at(map, "into"));
  graft.mode = text_at(map, "mode");
  graft.dep = text_or(map, "dep", "");
  graft.placing = text_at(map, "state") != "placed";
  const YAML::Node links = map["links"];
  if (!links.IsDefined() || !links.IsSequence()) throw NoRecord{};
  for (const YAML::Node& each : links) {
    if (!each.IsMap()) throw NoRecord{};
    graft.links.push_back({unescaped(text_at(each, "path")), unescaped(text_at(each, "target")), state_at(each)});
  }
  return graft;
}

template <class Record, class Read>
std::optional<Record> read_as(const std::string& text, Read read) {
  try {
    // The last line says that the record is whole.
    if (!text.ends_with("\nend: true\n")) return std::nullopt;
    return read(yaml::load_map(text, kMaxRecord));
  } catch (const NoRecord&) {
    return std::nullopt;
  } catch (const yaml::Fault&) {
    return std::nullopt;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::string format_entry_record(const EntryRecord& record) {
  std::string text = "key: " + yaml::scalar(record.key) + "\n";
  if (record.sha256) text += "sha256: \"" + *record.sha256 + "\"\n";
  text += "files: " + std::to_string(record.files) + "\nbytes: " + std::to_string(record.bytes) +
          "\nmade_at: " + rfc3339_utc(record.made_at) + "\nboot_id: " + record.boot_id + "\n";
  if (record.synced) text += "synced: true\n";
  return text + "end: true\n";
}

std::optional<EntryRecord> parse_entry_record(const std::string& text) {
  return read_as<EntryRecord>(text, [](const YAML::Node& map) {
    EntryRecord record;
    record.key = text_at(map, "key");
    if (map["sha256"].IsDefined()) record.sha256 = text_at(map, "sha256");
    record.files = number_at(map, "files");
    record.bytes = number_at(map, "bytes");
    if (!parse_rfc3339(text_at(map, "made_at"), record.made_at)) throw NoRecord{};
    record.boot_id = text_at(map, "boot_id");
    record.synced = text_or(map, "synced", "false") == "true";
    return record;
  });
}

std::string format_root_record(const RootRecord& record) {
  std::string text;
  if (!record.pool.empty()) text += "pool: " + yaml::scalar(record.pool) + "\nslot: " + yaml::scalar(record.slot) + "\n";
  text += "path: " + quoted(record.path) + "\ngrafts:" + (record.grafts.empty() ? " []\n" : "\n");
  for (const Graft& graft : record.grafts) {
    text += "  - key: " + yaml::scalar(graft.key) + "\n    into: " + quoted(graft.into) + "\n    mode: " + graft.mode + "\n";
    if (!graft.dep.empty()) text += "    dep: " + yaml::scalar(graft.dep) + "\n";
    text += std::string("    state: ") + (graft.placing ? "placing" : "placed") +
            "\n    links:" + (graft.links.empty() ? " []\n" : "\n");
    for (const GraftLink& link : graft.links)
      text += "      - {path: " + quoted(link.path) + ", target: " + quoted(link.target) + ", state: " + text_of(link.state) +
              "}\n";
  }
  return text + "end: true\n";
}

std::optional<RootRecord> parse_root_record(const std::string& text) {
  return read_as<RootRecord>(text, [](const YAML::Node& map) {
    RootRecord record;
    record.pool = text_or(map, "pool", "");
    record.slot = text_or(map, "slot", "");
    record.path = unescaped(text_at(map, "path"));
    const YAML::Node grafts = map["grafts"];
    if (!grafts.IsDefined() || !grafts.IsSequence()) throw NoRecord{};
    for (const YAML::Node& each : grafts) record.grafts.push_back(graft_of(each));
    return record;
  });
}

}  // namespace wtpool::disk
