#include "daemon/jobs/slot/job.hpp"

#include <exception>
#include <thread>

#include "common/base/log.hpp"
#include "daemon/git/process/filters.hpp"

namespace wtpool::jobs {

std::shared_ptr<const ServedPool> ServedPools::find(const PoolKey& key) const {
  const std::lock_guard guard(mutex_);
  const auto found = pools_.find(key);
  return found == pools_.end() ? nullptr : found->second;
}

void ServedPools::put(std::shared_ptr<const ServedPool> pool) {
  const std::lock_guard guard(mutex_);
  pools_[pool->key] = std::move(pool);
}

void ServedPools::drop(const PoolKey& key) {
  const std::lock_guard guard(mutex_);
  pools_.erase(key);
}

void JobContext::check_stop() const {
  if (stop.stop_requested()) throw core::Error(core::ErrorKind::cancelled, "cancelled");
}

void JobContext::progress(const std::string& phase, std::optional<int> percent) const {
  report(core::event::JobProgress{grant.job, phase, percent});
}

git::Context JobContext::git_context(const disk::SlotLock* lock) const {
  git::Context context;
  context.stop = stop;
  context.deadline = deadline;
  if (pool) {
    context.allowed_filters = pool->config.filters;
    context.helpers = pool->helpers;
  }
  if (lock != nullptr) {
    context.inherited = {lock->descriptor()};
    context.on_child = [lock](pid_t child) {
      try {
        lock->record_child(child);
      } catch (const core::Error& error) {
        // On a full disk git runs all the same: whoever comes after then waits for the lock without knowing whose it is.
        log_warn(error.message);
      }
    };
  }
  return context;
}

git::Git JobContext::source_git(const disk::SlotLock* lock) const {
  return git::Git({pool->place.source.str(), {}}, git_context(lock));
}

git::Git JobContext::slot_git(const std::string& git_id, const disk::SlotLock& lock) const {
  return git::Git({entry(git_id).entry.string(), slot_path().string(), pool->place.source.str()}, git_context(&lock));
}

namespace {

constexpr std::chrono::seconds kUndoPatience{10};  // a daemon that is told to end has twice that time
constexpr std::chrono::milliseconds kUndoAgain{100};

bool may_pass(const std::exception& error) {
  const auto* known = dynamic_cast<const core::Error*>(&error);
  return known == nullptr || fault_in_upkeep(*known) == core::Fault::host_fault;
}

}  // namespace

void Steps::done(std::string what, std::function<void()> undo) { undos_.emplace_back(std::move(what), std::move(undo)); }

std::optional<std::string> Steps::roll_back() {
  const auto patient_until = std::chrono::steady_clock::now() + kUndoPatience;
  while (!undos_.empty()) {
    const auto& [what, undo] = undos_.back();
    try {
      undo();
      undos_.pop_back();
    } catch (const std::exception& error) {
      if (may_pass(error) && std::chrono::steady_clock::now() < patient_until) {
        std::this_thread::sleep_for(kUndoAgain);
        continue;
      }
      return "cannot " + what + ": " + error.what();
    }
  }
  return std::nullopt;
}

void fail(core::Fault fault, core::ErrorKind kind, std::string message, std::string hint) {
  throw FaultError{fault, core::Error(kind, std::move(message), std::move(hint))};
}

namespace {

bool says(const core::Error& error, const char* text) {
  return error.git && error.git->stderr_tail.find(text) != std::string::npos;
}

// What the host or the source configured and does not have, git-lfs for one. The slot may be as good as any.
bool filter_failed(const core::Error& error) { return error.git && git::says_filter_failed(error.git->stderr_tail); }

// Descriptors, processes or memory, here or in git. They are there again when others have ended.
bool lacks_means(const core::Error& error) {
  for (const char* text :
       {"Too many open files", "Resource temporarily unavailable", "Cannot allocate memory", "Out of memory"})
    if (error.message.find(text) != std::string::npos || says(error, text)) return true;
  return false;
}

}  // namespace

core::Fault fault_of(const core::Error& error) {
  using core::ErrorKind;
  switch (error.kind) {
    case ErrorKind::cancelled:
      return core::Fault::cancelled;
    case ErrorKind::no_space:
    case ErrorKind::read_only:
    case ErrorKind::io_error:
      return core::Fault::host_fault;
    case ErrorKind::permission_denied:
      return core::Fault::slot_fault;
    case ErrorKind::git_failed:
      if (says(error, "No space left on device") || says(error, "Read-only file system") || lacks_means(error)) {
        return core::Fault::host_fault;
      }
      if (says(error, "bad object") || says(error, "unable to read") || says(error, "not a valid object") ||
          filter_failed(error) || says(error, "cannot lock ref") || says(error, "packed-refs.lock") || was_killed(error)) {
        return core::Fault::source_fault;
      }
      return core::Fault::slot_fault;
    default:
      return core::Fault::source_fault;
  }
}

core::Fault fault_in_upkeep(const core::Error& error) {
  using core::ErrorKind;
  if (error.kind == ErrorKind::cancelled) return core::Fault::cancelled;
  const bool passes = error.kind == ErrorKind::no_space || error.kind == ErrorKind::read_only ||
                      says(error, "No space left on device") || says(error, "Read-only file system") || lacks_means(error) ||
                      says(error, ".lock': File exists") || says(error, "could not lock config file") ||
                      says(error, "packed-refs.new: File exists");
  // What git has no memory for may never fit: it is tried again, and counted.
  const bool too_large = says(error, "Out of memory") || says(error, "Cannot allocate memory");
  if (passes && !too_large) return core::Fault::host_fault;
  return too_large || was_killed(error) || filter_failed(error) ? core::Fault::slot_fault : core::Fault::quarantine;
}

bool was_killed(const core::Error& error) { return error.git && git::says_killed(error.git->exit_code); }

}  // namespace wtpool::jobs
