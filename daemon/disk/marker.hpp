// The marker: the file whose existence means "not idle", and its relative the intent. Format in docs/on-disk-format.md.
// parse_* never throw whatever the bytes; writing is durable before it returns and throws proto::Error. Any thread.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/files/files.hpp"
#include "daemon/core/state/values.hpp"
#include "daemon/disk/layout.hpp"

namespace wtpool::disk {

[[nodiscard]] std::string format_marker(const core::Marker& marker);
// A marker, or why it is none. Flat scalars, unknown keys ignored; with only the keys of worktree-pool it is an adopted,
// durable lease without an end whose name is empty (the reader takes it from HEAD) and whose id is derived from its text.
[[nodiscard]] std::variant<core::Marker, std::string> parse_marker(const std::string& text);

// A marker's text beside its place, so that it can be synced together with other files.
class StagedMarker {
 public:
  [[nodiscard]] int descriptor() const { return staged_.descriptor(); }
  void sync_content() const;
  // The content must have been synced, by `sync_content` or with others by `descriptor`. Durable when it returns.
  core::Durable place();
  // The halves of it: the file is in its place at once, and is there for good after the second.
  void rename() { staged_.put_in_place(); }
  core::Durable sync() const;

 private:
  friend class MarkerFile;
  StagedMarker(path file, const core::Marker& marker);
  path directory_;
  StagedFile staged_;
};

class MarkerFile {
 public:
  explicit MarkerFile(path file) : file_(std::move(file)) {}
  // Makes the directory it stands in, if that is missing; the entry itself must be there.
  [[nodiscard]] StagedMarker stage(const core::Marker& marker) const;
  core::Durable write(const core::Marker& marker) const;
  // Nothing: there is none. Text: it cannot be read or is no marker.
  [[nodiscard]] std::optional<std::variant<core::Marker, std::string>> read() const;
  // Durable; true if there was one.
  bool remove() const;

 private:
  friend class StagedMarker;
  static core::Durable receipt();
  path file_;
};

// Of a fresh slot: the marker's fields, and the names in <source>/worktrees just before.
struct Intent {
  core::Marker marker;
  std::vector<std::string> entries;
  bool directory_existed = false;  // the slot's directory was there (and empty) already: not ours to remove
};
void write_intent(const path& file, const Intent& intent);
[[nodiscard]] std::optional<std::variant<Intent, std::string>> read_intent(const path& file);

struct QuarantineRecord {
  std::string reason;
  std::int64_t time = 0;
  std::string doing;
};
void write_quarantine(const path& file, const QuarantineRecord& record);
[[nodiscard]] std::optional<QuarantineRecord> read_quarantine(const path& file);  // an unreadable one is a reason too

// <trash dir>/<ID>.yaml: whose work a trash entry is. Written before its refs.
struct TrashRecord {
  std::string id;
  std::string pool;
  std::string slot;
  std::string name;
  std::int64_t time = 0;
  // When it was first looked at, in seconds of running_time.hpp: it grows old from then on. Absent until then.
  std::optional<std::int64_t> seen = std::nullopt;
};
void write_trash_record(const path& file, const TrashRecord& record);
[[nodiscard]] std::optional<TrashRecord> read_trash_record(const path& file);

// What stayed untracked at the last recycle, so that the next holder's dirt is only what differs.
struct UntrackedFile {
  std::string name;  // relative to the slot, git's bytes
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  friend bool operator==(const UntrackedFile&, const UntrackedFile&) = default;
};
void write_untracked(const path& file, const std::vector<UntrackedFile>& files);
[[nodiscard]] std::optional<std::vector<UntrackedFile>> read_untracked(const path& file);

}  // namespace wtpool::disk
