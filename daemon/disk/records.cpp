// The smaller records of marker.hpp: quarantine, trash, and what stayed untracked.
#include <charconv>

#include "common/base/clock.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/disk/marker.hpp"
#include "daemon/disk/yaml.hpp"

namespace wtpool::disk {
namespace {

std::string text_at(const YAML::Node& map, const char* key) {
  const YAML::Node node = map[key];
  if (!node.IsDefined() || !node.IsScalar()) throw yaml::Fault{0, 0, std::string("it has no ") + key};
  return node.Scalar();
}

std::int64_t time_at(const YAML::Node& map, const char* key) {
  std::int64_t seconds = 0;
  if (!parse_rfc3339(text_at(map, key), seconds)) throw yaml::Fault{0, 0, std::string("its ") + key + " is no time"};
  return seconds;
}

// Nothing where it is not there, or is no count.
std::optional<std::int64_t> count_at(const YAML::Node& map, const char* key) {
  const YAML::Node node = map[key];
  if (!node.IsDefined() || !node.IsScalar()) return std::nullopt;
  const std::string& text = node.Scalar();
  std::int64_t count = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failure != std::errc{} || end != text.data() + text.size() || count < 0) return std::nullopt;
  return count;
}

std::string line(std::string_view key, const std::string& value) {
  return std::string(key) + ": " + yaml::scalar(printable(value)) + "\n";
}

constexpr std::string_view kUntrackedStart{"wtpool untracked 1\0", 19};
constexpr std::string_view kUntrackedEnd{"end\0", 4};
constexpr std::size_t kMaxUntracked = 512 * 1024 * 1024;

// A number and the space behind it.
template <class Number>
bool take_number(std::string_view& text, Number& value) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto used = static_cast<std::size_t>(end - text.data());
  if (failure != std::errc{} || used >= text.size() || text[used] != ' ') return false;
  text.remove_prefix(used + 1);
  return true;
}

}  // namespace

void write_quarantine(const path& file, const QuarantineRecord& record) {
  make_directories(file.parent_path(), 0755, true);
  write_durably(file, line("reason", record.reason) + "time: " + rfc3339_utc(record.time) + "\n" + line("doing", record.doing));
}

std::optional<QuarantineRecord> read_quarantine(const path& file) {
  const auto unreadable = [&](const std::string& why) {
    return QuarantineRecord{"its quarantine record " + printable(file.native()) + " cannot be read: " + why, 0, ""};
  };
  try {
    if (!lstat_of(file)) return std::nullopt;  // without a descriptor: there may be none left to open it with
    const auto text = read_file(file, yaml::kMaxText);
    if (!text) return std::nullopt;
    const YAML::Node map = yaml::load_map(*text);
    return QuarantineRecord{text_at(map, "reason"), time_at(map, "time"), text_at(map, "doing")};
  } catch (const proto::Error& failure) {
    return unreadable(failure.message);
  } catch (const yaml::Fault& fault) {
    return unreadable(printable(fault.what));
  } catch (const std::exception& failure) {
    return unreadable(failure.what());
  }
}

void write_trash_record(const path& file, const TrashRecord& record) {
  make_directories(file.parent_path(), 0755, true);
  write_durably(file, line("id", record.id) + line("pool", record.pool) + line("slot", record.slot) +
                          line("name", record.name) + "time: " + rfc3339_utc(record.time) + "\n" +
                          (record.seen ? "seen: " + std::to_string(*record.seen) + "\n" : ""));
}

std::optional<TrashRecord> read_trash_record(const path& file) {
  try {
    const auto text = read_file(file, yaml::kMaxText);
    if (!text) return std::nullopt;
    const YAML::Node map = yaml::load_map(*text);
    return TrashRecord{text_at(map, "id"),   text_at(map, "pool"), text_at(map, "slot"),
                       text_at(map, "name"), time_at(map, "time"), count_at(map, "seen")};
  } catch (const yaml::Fault&) {
    return std::nullopt;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

void write_untracked(const path& file, const std::vector<UntrackedFile>& files) {
  std::string text(kUntrackedStart);
  for (const UntrackedFile& entry : files) {
    text += std::to_string(entry.size) + " " + std::to_string(entry.mtime_ns) + " " + entry.name;
    text += '\0';
  }
  write_atomically(file, text.append(kUntrackedEnd));
}

std::optional<std::vector<UntrackedFile>> read_untracked(const path& file) {
  std::optional<std::string> text;
  try {
    text = read_file(file, kMaxUntracked);
  } catch (const proto::Error&) {
    return std::nullopt;
  }
  if (!text || !text->starts_with(kUntrackedStart) || !text->ends_with(kUntrackedEnd)) return std::nullopt;
  std::string_view rest = *text;
  rest.remove_prefix(kUntrackedStart.size());
  std::vector<UntrackedFile> files;
  while (rest != kUntrackedEnd) {
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view record = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    UntrackedFile entry;
    if (!take_number(record, entry.size) || !take_number(record, entry.mtime_ns) || record.empty()) return std::nullopt;
    entry.name = std::string(record);
    files.push_back(std::move(entry));
  }
  return files;
}

}  // namespace wtpool::disk
