#include "daemon/disk/marker.hpp"

#include <sys/stat.h>

#include <algorithm>

#include <cerrno>

#include "common/base/names.hpp"
#include "common/base/timed.hpp"
#include "common/files/files.hpp"
#include "daemon/disk/marker_text.hpp"

namespace wtpool::disk {
namespace {

std::string why_not(const yaml::Fault& fault) {
  return (fault.line > 0 ? "line " + std::to_string(fault.line) + ": " : std::string()) + printable(fault.what);
}

// A last line without its newline may have lost characters too; only one that has a fixed length is whole for sure.
bool last_line_is_whole(const std::string& text) {
  if (text.ends_with('\n')) return true;
  const std::size_t start = text.rfind('\n') + 1;
  return std::string_view(text).substr(start).starts_with("full_sha") ||
         std::string_view(text).substr(start).starts_with("started_at");
}

// Bytes that are no UTF-8 have no place in YAML.
std::string entry_text(const std::string& name) {
  static constexpr char kHex[] = "0123456789abcdef";
  if (printable(name) == name && !name.starts_with("hex:")) return name;
  std::string text = "hex:";
  for (const char c : name) {
    text += kHex[static_cast<unsigned char>(c) >> 4];
    text += kHex[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

std::string entry_from(const YAML::Node& node) {
  if (!node.IsScalar()) throw yaml::fault_at(node, "an entry is not a single value");
  const std::string& text = node.Scalar();
  if (!text.starts_with("hex:")) return text;
  std::string name;
  for (std::size_t i = 4; i < text.size(); i += 2) {
    const auto digit = [&](std::size_t at) {
      const std::size_t value = at < text.size() ? std::string_view("0123456789abcdef").find(text[at]) : std::string::npos;
      if (value == std::string::npos) throw yaml::fault_at(node, "an entry is no hexadecimal text");
      return value;
    };
    name += static_cast<char>(digit(i) * 16 + digit(i + 1));
  }
  return name;
}

// Intents list every worktree of the source: thousands, perhaps.
constexpr std::size_t kMaxIntent = 16 * 1024 * 1024;

}  // namespace

std::string format_marker(const core::Marker& marker) {
  return std::string(kMarkerLine) + marker_fields(marker) + std::string(kLastLine);
}

std::variant<core::Marker, std::string> parse_marker(const std::string& text) {
  try {
    if (!is_whole(text, kMarkerLine) && !last_line_is_whole(text)) throw yaml::Fault{0, 0, "it was cut short"};
    return marker_from(yaml::load_map(text));
  } catch (const yaml::Fault& fault) {
    return why_not(fault);
  } catch (const std::exception& failure) {
    return std::string(failure.what());
  }
}

StagedMarker::StagedMarker(path file, const core::Marker& marker)
    : directory_(file.parent_path()), staged_(std::move(file), format_marker(marker)) {}

core::Durable StagedMarker::sync() const {
  const Timed timed("marker", "synced");
  sync_directory(directory_);
  return MarkerFile::receipt();
}

void StagedMarker::sync_content() const {
  const Timed timed("marker", "synced");
  sync_together({{staged_.descriptor()}}, directory_);
}

core::Durable StagedMarker::place() {
  rename();
  return sync();
}

StagedMarker MarkerFile::stage(const core::Marker& marker) const {
  const Timed timed("marker", "written");
  const path own = file_.parent_path();
  const path entry = own.parent_path();
  if (!is_directory_no_follow(entry)) throw io_error("cannot write a marker in", entry, ENOENT);
  if (!is_directory_no_follow(own)) {
    if (::mkdir(own.c_str(), 0755) != 0) throw io_error("cannot make the directory", own, errno);
    sync_directory(entry);
  }
  return {file_, marker};
}

core::Durable MarkerFile::write(const core::Marker& marker) const {
  StagedMarker staged = stage(marker);
  staged.sync_content();
  return staged.place();
}

core::Durable MarkerFile::receipt() { return {}; }

namespace {

// The same id, its last digits said by the entry's name.
LeaseId of_entry(const LeaseId& id, const std::string& entry) {
  std::uint32_t hash = 2166136261U;
  for (const char c : entry) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  std::string digits;
  for (int shift = 28; shift >= 0; shift -= 4) digits += "0123456789abcdef"[(hash >> shift) & 15U];
  const std::string& text = id.str();
  return LeaseId(text.substr(0, text.size() - std::min(text.size(), digits.size())) + digits);
}

}  // namespace

std::optional<std::variant<core::Marker, std::string>> MarkerFile::read() const {
  try {
    if (!lstat_of(file_)) return std::nullopt;  // without a descriptor: there may be none left to open it with
    const auto text = read_file(file_, yaml::kMaxText);
    if (!text) return std::nullopt;
    auto parsed = parse_marker(*text);
    // What worktree-pool writes down is the same for slots that were taken in one second at one commit: the entry tells them
    // apart.
    auto* const marker = std::get_if<core::Marker>(&parsed);
    if (marker != nullptr && marker->lease.adopted && text->find("lease_id:") == std::string::npos)
      marker->lease.id = of_entry(marker->lease.id, file_.parent_path().parent_path().filename().string());
    return parsed;
  } catch (const proto::Error& failure) {
    return failure.message;
  }
}

bool MarkerFile::remove() const { return unlink_durably(file_); }

void write_intent(const path& file, const Intent& intent) {
  std::string text = std::string(kIntentLine) + marker_fields(intent.marker);
  text += std::string("directory_existed: ") + (intent.directory_existed ? "true" : "false") + "\n";
  text += intent.entries.empty() ? "entries: []\n" : "entries:\n";
  for (const std::string& entry : intent.entries) text += "  - " + yaml::scalar(entry_text(entry)) + "\n";
  write_durably(file, text + std::string(kLastLine));
}

std::optional<std::variant<Intent, std::string>> read_intent(const path& file) {
  try {
    const auto text = read_file(file, kMaxIntent);
    if (!text) return std::nullopt;
    (void)is_whole(*text, kIntentLine);
    const YAML::Node map = yaml::load_map(*text, kMaxIntent);
    Intent intent;
    intent.marker = marker_from(map);
    const YAML::Node existed = map["directory_existed"];
    intent.directory_existed = existed.IsDefined() && existed.IsScalar() && existed.Scalar() == "true";
    const YAML::Node entries = map["entries"];
    if (!entries.IsDefined() || !entries.IsSequence()) throw yaml::Fault{0, 0, "it has no list of entries"};
    for (const YAML::Node& entry : entries) intent.entries.push_back(entry_from(entry));
    return intent;
  } catch (const proto::Error& failure) {
    return failure.message;
  } catch (const yaml::Fault& fault) {
    return why_not(fault);
  } catch (const std::exception& failure) {
    return std::string(failure.what());
  }
}

}  // namespace wtpool::disk
