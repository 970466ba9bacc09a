#include "daemon/store/entries.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/store/extract.hpp"
#include "daemon/store/names.hpp"
#include "daemon/store/sums.hpp"
#include "daemon/store/tree_check.hpp"

namespace wtpool::store {
namespace {

using proto::Error;
using proto::ErrorKind;
using std::filesystem::path;

constexpr std::size_t kMaxListing = 2048ull << 20;

// Takes away what was being made, unless it was put in place.
class Making {
 public:
  explicit Making(path directory) : directory_(std::move(directory)) {
    if (::mkdir(directory_.c_str(), 0755) != 0) throw io_error("cannot make the directory", directory_, errno);
  }
  ~Making() {
    if (directory_.empty()) return;
    try {
      remove_tree(directory_);
    } catch (const Error&) {
      // The next start removes all of tmp/.
    }
  }
  Making(const Making&) = delete;
  Making& operator=(const Making&) = delete;
  [[nodiscard]] const path& directory() const { return directory_; }
  void put(const path& target) {
    if (::rename(directory_.c_str(), target.c_str()) != 0) throw io_error("cannot make the entry", target, errno);
    directory_.clear();
  }

 private:
  path directory_;
};

void empty_directory(const path& directory) {
  for (const path& child : children_of(directory)) remove_tree(child);
}

}  // namespace

Store::Store(path root, std::string boot_id) : root_(std::move(root)), boot_id_(std::move(boot_id)) {}
Store::~Store() = default;

void Store::open() {
  const std::lock_guard guard(opening_);
  if (lock_) return;
  make_directories(root_, 0755, true);
  for (const char* name : {"entries", "roots", "tmp", "doomed"}) make_directories(root_ / name, 0755, true);
  lock_ = disk::FileLock::try_take(root_ / "store.lock");
  if (!lock_)
    throw Error(ErrorKind::io_error,
                "cannot use the store " + printable(root_.native()) + ": another process holds its store.lock");
  empty_directory(temporary());
  empty_directory(root_ / "doomed");
}

Store::Pin::Pin(Store& store, std::string key) : store_(store), key_(std::move(key)) {
  const std::lock_guard guard(store_.pins_mutex_);
  store_.pins_.insert(key_);
  store_.pinned_since_.insert(key_);
}

Store::Pin::~Pin() {
  const std::lock_guard guard(store_.pins_mutex_);
  store_.pins_.erase(store_.pins_.find(key_));
}

void Store::begin_collecting() {
  const std::lock_guard guard(pins_mutex_);
  pinned_since_.clear();
  pinned_since_.insert(pins_.begin(), pins_.end());
}

bool Store::doom(const std::string& key) {
  const std::lock_guard guard(pins_mutex_);
  if (pinned_since_.contains(key)) return false;
  put_away(key);
  return true;
}

void Store::put_away(const std::string& key) {
  const path to = root_ / "doomed" / random_hex(24);
  if (::rename(entry(key).c_str(), to.c_str()) != 0 && errno != ENOENT)
    throw io_error("cannot remove the entry", entry(key), errno);
  FAILPOINT("store.doomed");
}

void Store::delete_doomed() { empty_directory(root_ / "doomed"); }

std::optional<disk::EntryRecord> Store::record(const std::string& key) const {
  if (bad_key(key)) return std::nullopt;
  const auto text = read_file(entry(key) / "entry.yaml");
  if (!text) return std::nullopt;
  return disk::parse_entry_record(*text);
}

std::optional<disk::EntryRecord> Store::usable(const std::string& key) {
  auto found = record(key);
  if (!found) {
    // Without its record it is nothing: a file system that lost it after a power cut.
    if (lstat_of(entry(key))) put_away(key);
    return std::nullopt;
  }
  if (found->synced || found->boot_id == boot_id_) return found;
  std::optional<std::string> torn;
  try {
    torn = verify(key);
  } catch (const Error&) {
    torn = "listing";
  }
  if (torn) {
    put_away(key);
    return std::nullopt;
  }
  sync(key);
  found->synced = true;
  return found;
}

Listing Store::listing(const std::string& key) const {
  const auto text = read_file(entry(key) / "listing", kMaxListing);
  auto parsed = text ? parse_listing(*text) : std::nullopt;
  if (!parsed) throw Error(ErrorKind::store_differs, "the listing of the entry " + key + " cannot be read");
  return std::move(*parsed);
}

void Store::write_record(const path& directory, const disk::EntryRecord& record) const {
  write_atomically(directory / "entry.yaml", disk::format_entry_record(record), 0644);
}

disk::EntryRecord Store::add(const std::string& key, const path& from, const Limits& limits) {
  const Pin pin(*this, key);
  const auto there = usable(key);
  const bool is_directory = std::filesystem::is_directory(from);
  if (there && !is_directory && there->sha256 && archive_sha256(from) == there->sha256) return *there;
  Making making(temporary() / random_hex(24));
  FAILPOINT("store.extracting");
  const Extracted extracted = extract(from, making.directory() / "tree", limits);
  FAILPOINT("store.extracted");
  const auto differs = [&](const std::string& at) {
    return Error(ErrorKind::store_differs,
                 "cannot add " + key + ": the store has another content under that KEY, first at '" + printable(at) + "'",
                 "wtpool store ls");
  };
  if (there) {
    if (const auto at = first_difference(listing(key), extracted.listing)) throw differs(*at);
    return *there;
  }
  disk::EntryRecord made{key,  extracted.sha256, extracted.listing.files(), extracted.listing.bytes(), wall_now(), boot_id_,
                         false};
  write_atomically(making.directory() / "listing", format_listing(extracted.listing), 0644);
  write_record(making.directory(), made);
  making.put(entry(key));
  FAILPOINT("store.entry-made");
  return made;
}

void Store::sync(const std::string& key) {
  auto found = record(key);
  if (!found || found->synced) return;
  const auto used = used_at(key);
#ifdef __linux__
  // One call for the whole disk: a sync of each of ten thousand files takes minutes.
  const Fd fd(::open(entry(key).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return;
  if (::syncfs(fd.get()) != 0) throw io_error("cannot sync", entry(key), errno);
#else
  std::vector<path> files;
  for (const Node& node : listing(key).nodes) {
    if (node.kind == NodeKind::file) files.push_back(tree(key) / node.path);
  }
  sync_files(files);
  for (const Node& node : listing(key).nodes) {
    if (node.kind == NodeKind::directory) sync_directory(tree(key) / node.path);
  }
#endif
  found->synced = true;
  write_durably(entry(key) / "entry.yaml", disk::format_entry_record(*found), 0644);
  struct ::timespec times[2] = {{static_cast<time_t>(used), 0}, {static_cast<time_t>(used), 0}};
  (void)::utimensat(AT_FDCWD, (entry(key) / "entry.yaml").c_str(), times, AT_SYMLINK_NOFOLLOW);
}

void Store::touch(const std::string& key) {
  (void)::utimensat(AT_FDCWD, (entry(key) / "entry.yaml").c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
}

std::int64_t Store::used_at(const std::string& key) const {
  const auto status = lstat_of(entry(key) / "entry.yaml");
  return status ? static_cast<std::int64_t>(status->st_mtime) : 0;
}

std::vector<std::string> Store::keys() const {
  std::vector<std::string> keys;
  for (const path& each : children_of(entries())) {
    if (!bad_key(each.filename().string())) keys.push_back(each.filename().string());
  }
  return keys;
}

std::optional<std::string> Store::verify(const std::string& key) const { return first_unlike(tree(key), listing(key)); }

path Store::slot_root(const std::string& pool, const std::string& slot) const {
  return root_ / "roots" / pool / (slot + ".yaml");
}

path Store::directory_root(const path& directory) const {
  return root_ / "roots" / "dirs" / (sha256_hex(directory.native()) + ".yaml");
}

std::optional<disk::RootRecord> Store::read_root(const path& file) const {
  const auto text = read_file(file, 64 << 20);
  if (!text) return std::nullopt;
  auto parsed = disk::parse_root_record(*text);
  if (!parsed) throw Error(ErrorKind::io_error, "the root " + printable(file.native()) + " cannot be read");
  return parsed;
}

void Store::change_root(const path& file, const disk::RootRecord& whose, const std::function<void(disk::RootRecord&)>& change) {
  const std::lock_guard guard(roots_mutex_);
  const auto before = read_root(file);
  disk::RootRecord record = before.value_or(whose);
  change(record);
  if (before == record) return;
  if (record.grafts.empty()) {
    (void)unlink_durably(file);
    return;
  }
  make_directories(file.parent_path(), 0755, true);
  write_durably(file, disk::format_root_record(record), 0644);
}

void Store::remove_root(const path& file) {
  const std::lock_guard guard(roots_mutex_);
  (void)unlink_durably(file);
}

Store::Roots Store::roots() const {
  Roots roots;
  for (const path& directory : children_of(root_ / "roots")) {
    for (const path& file : children_of(directory)) {
      if (file.extension() != ".yaml") continue;
      try {
        if (auto record = read_root(file)) roots.read.emplace(file, std::move(*record));
      } catch (const Error&) {
        roots.unreadable.push_back(file);
      }
    }
  }
  return roots;
}

}  // namespace wtpool::store
