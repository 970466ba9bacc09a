// Advisory locks (flock) as types: holding one is having the value. Any thread.
#pragma once

#include <sys/types.h>
#include <chrono>
#include <optional>
#include <string>

#include "common/files/fd.hpp"
#include "common/platform/process.hpp"
#include "daemon/disk/layout.hpp"

namespace wtpool::disk {

// flocked for as long as the value lives. Never waits.
class FileLock {
 public:
  // Nothing when somebody else holds it. Makes the file (0600), refuses a symlink. Throws proto::Error otherwise.
  [[nodiscard]] static std::optional<FileLock> try_take(const path& file);
  // Does somebody hold it now? False when there is no file. Takes nothing away.
  [[nodiscard]] static bool is_held(const path& file);
  [[nodiscard]] int descriptor() const { return fd_.get(); }
  // Replaces the file's text through the held descriptor (not atomic: readers take the lock's state first).
  void set_text(const std::string& text) const;
  [[nodiscard]] static std::string text_of(const path& file);

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// The lock of one slot. Its descriptor is inherited by each git child, and the file holds the pid and start time of that child.
class SlotLock {
 public:
  [[nodiscard]] static std::optional<SlotLock> try_take(const PoolFiles& files, const SlotId& slot);
  [[nodiscard]] int descriptor() const { return lock_.descriptor(); }
  void record_child(pid_t child) const;
  // The process that the file names, if it is still that one.
  [[nodiscard]] static std::optional<platform::ProcessStamp> recorded_child(const PoolFiles& files, const SlotId& slot);

 private:
  explicit SlotLock(FileLock lock) : lock_(std::move(lock)) {}
  FileLock lock_;
};

}  // namespace wtpool::disk
