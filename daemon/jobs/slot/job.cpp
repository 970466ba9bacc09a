#include "daemon/jobs/slot/job.hpp"

#include "common/base/log.hpp"

namespace wtpool::jobs {

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

}  // namespace wtpool::jobs
