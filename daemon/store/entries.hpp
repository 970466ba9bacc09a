// The entries on the disk, and the roots that keep them. Every function may be called from any thread; what two of them could
// do to one entry or root at the same time is parted by memory alone, for the moment of a rename or of one small file.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/disk/locks.hpp"
#include "daemon/disk/store_records.hpp"
#include "daemon/store/limits.hpp"
#include "daemon/store/listing.hpp"

namespace wtpool::store {

class Store {
 public:
  Store(std::filesystem::path root, std::string boot_id);
  ~Store();

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] std::filesystem::path entries() const { return root_ / "entries"; }
  [[nodiscard]] std::filesystem::path entry(const std::string& key) const { return entries() / key; }
  [[nodiscard]] std::filesystem::path tree(const std::string& key) const { return entry(key) / "tree"; }
  [[nodiscard]] std::filesystem::path temporary() const { return root_ / "tmp"; }

  // Makes the store's directories, takes its lock and removes what a kill left; once. Throws when another process has it.
  void open();

  // While it lives, the entry is not collected: taken before one looks whether it is there.
  class Pin {
   public:
    Pin(Store& store, std::string key);
    ~Pin();
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;

   private:
    Store& store_;
    std::string key_;
  };

  // The entry, when it is there and may be used: one that the power may have torn is compared with its listing first, and
  // put away when it is another.
  [[nodiscard]] std::optional<disk::EntryRecord> usable(const std::string& key);
  [[nodiscard]] std::optional<disk::EntryRecord> record(const std::string& key) const;
  [[nodiscard]] Listing listing(const std::string& key) const;
  // Makes it from an archive or a directory. Where it is there, the two must have the same content (store_differs).
  disk::EntryRecord add(const std::string& key, const std::filesystem::path& from, const Limits& limits);
  void sync(const std::string& key);   // to the disk, and says so in its record
  void touch(const std::string& key);  // it was used now
  [[nodiscard]] std::int64_t used_at(const std::string& key) const;
  [[nodiscard]] std::vector<std::string> keys() const;
  // The first path that is not as listed; nothing when all is.
  [[nodiscard]] std::optional<std::string> verify(const std::string& key) const;

  // gc: since begin_collecting, what was pinned is not collected. False: it is pinned, or was.
  void begin_collecting();
  [[nodiscard]] bool doom(const std::string& key);
  void delete_doomed();

  // Roots. `change` sees the record as it stands (empty grafts when there is none) and what it leaves is made durable; one
  // without grafts is removed.
  [[nodiscard]] std::filesystem::path slot_root(const std::string& pool, const std::string& slot) const;
  [[nodiscard]] std::filesystem::path directory_root(const std::filesystem::path& directory) const;
  [[nodiscard]] std::optional<disk::RootRecord> read_root(const std::filesystem::path& file) const;
  void change_root(const std::filesystem::path& file, const disk::RootRecord& whose,
                   const std::function<void(disk::RootRecord&)>& change);
  void remove_root(const std::filesystem::path& file);
  struct Roots {
    std::map<std::filesystem::path, disk::RootRecord> read;
    std::vector<std::filesystem::path> unreadable;  // for as long as there is one, nothing is collected
  };
  [[nodiscard]] Roots roots() const;

 private:
  void write_record(const std::filesystem::path& directory, const disk::EntryRecord& record) const;
  void put_away(const std::string& key);  // by the caller's leave

  std::filesystem::path root_;
  std::string boot_id_;
  std::mutex opening_;
  std::optional<disk::FileLock> lock_;
  mutable std::mutex pins_mutex_;
  std::multiset<std::string> pins_;
  std::set<std::string> pinned_since_;
  std::mutex roots_mutex_;
};

}  // namespace wtpool::store
