// What a job works with: its grant, its pool as it was loaded, a way to be stopped, a way to report. And the two shapes every
// job has: steps beside their undo, and one function that turns what went wrong into a Fault for the core.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/state/events.hpp"
#include "daemon/disk/config.hpp"
#include "daemon/disk/layout.hpp"
#include "daemon/disk/locks.hpp"
#include "daemon/git/source/source.hpp"
#include "daemon/jobs/slot/seal_book.hpp"

namespace wtpool::jobs {

// A pool that this daemon serves. Immutable: a reload makes a new one that shares the lock.
struct ServedPool {
  PoolKey key;
  disk::PoolFiles files;
  core::PoolConfig config;
  core::PoolPlace place;
  git::SourceFacts source;
  std::shared_ptr<const disk::FileLock> lock;
  std::shared_ptr<git::Helpers> helpers;
};

// The pools that are served now, by key. Any thread.
class ServedPools {
 public:
  [[nodiscard]] std::shared_ptr<const ServedPool> find(const PoolKey& key) const;
  void put(std::shared_ptr<const ServedPool> pool);
  void drop(const PoolKey& key);

 private:
  mutable std::mutex mutex_;
  std::map<PoolKey, std::shared_ptr<const ServedPool>> pools_;
};

// Of the host, the same for all jobs.
struct HostFacts {
  std::string pools_root;
  std::uint64_t reserve_bytes = 0;
};

struct JobContext {
  core::Grant grant;
  HostFacts host;
  ServedPools* pools = nullptr;
  SealBook* seals = nullptr;
  std::shared_ptr<const ServedPool> pool;  // null only for jobs that make or load one
  StopToken stop;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::function<void(core::Event)> report;

  // Throws cancelled when the core asked this job to stop. Called between steps that can be undone.
  void check_stop() const;
  void progress(const std::string& phase, std::optional<int> percent = {}) const;
  [[nodiscard]] git::Context git_context(const disk::SlotLock* lock) const;
  [[nodiscard]] git::Git source_git(const disk::SlotLock* lock = nullptr) const;
  // Git in the grant's slot; the place must have been proven by the caller.
  [[nodiscard]] git::Git slot_git(const std::string& git_id, const disk::SlotLock& lock) const;
  [[nodiscard]] disk::EntryFiles entry(const std::string& git_id) const { return {pool->place.source, git_id}; }
  [[nodiscard]] disk::path slot_path() const { return pool->files.slot(grant.slot); }
};

// What was done, in order, each beside what takes it back. Unless committed, `roll_back` runs the undos last first; one that
// fails for want of what others may give back is run again for a while. One that fails for good is the last: what is left
// then is what a kill at that moment leaves, which a recovery knows.
class Steps {
 public:
  void done(std::string what, std::function<void()> undo);
  void commit() { undos_.clear(); }
  [[nodiscard]] bool empty() const { return undos_.empty(); }
  // What could not be taken back, and why, as a clause; nothing when all was.
  [[nodiscard]] std::optional<std::string> roll_back();

 private:
  std::vector<std::pair<std::string, std::function<void()>>> undos_;
};

// Thrown by a step that knows better than the table below whose fault it is.
struct FaultError {
  core::Fault fault;
  core::Error error;
  bool halfway = false;  // see core::JobFailed
};
[[noreturn]] void fail(core::Fault fault, core::ErrorKind kind, std::string message, std::string hint = {});

// Whose fault an error is when nobody said so: the slot's, the source's, the host's, or nobody's.
[[nodiscard]] core::Fault fault_of(const core::Error& error);
// The same where work is in a slot and nobody can be asked to come again: what passes by itself is waited for (no space, a disk
// that is read-only, no descriptors, processes or memory), a git that was killed is run again; whatever else keeps work from
// being saved is looked at by a person.
[[nodiscard]] core::Fault fault_in_upkeep(const core::Error& error);
// The error is of a git that a signal ended, itself or one that it had started.
[[nodiscard]] bool was_killed(const core::Error& error);

}  // namespace wtpool::jobs
