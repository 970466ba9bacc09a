// What a job works with: its grant, its pool as it was loaded, a way to be stopped, a way to report. And the two shapes every
// job has: steps beside their undo, and one function that turns what went wrong into a Fault for the core.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/core/state/events.hpp"
#include "daemon/jobs/slot/seal_book.hpp"
#include "daemon/jobs/slot/served_pool.hpp"
#include "daemon/store/entries.hpp"

namespace wtpool::jobs {

struct JobContext {
  core::Grant grant;
  HostFacts host;
  ServedPools* pools = nullptr;
  SealBook* seals = nullptr;
  store::Store* store = nullptr;           // null: this host has none
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

}  // namespace wtpool::jobs
