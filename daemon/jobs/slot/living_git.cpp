#include "daemon/jobs/slot/living_git.hpp"

#include <unistd.h>

#include <algorithm>

#include "common/files/files.hpp"
#include "common/platform/process.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/process/lock_holders.hpp"
#include "daemon/jobs/slot/blame.hpp"

namespace wtpool::jobs {
namespace {

constexpr std::int64_t kClocksApart = 2;  // seconds: when a process started is known less well than when a file was written

bool is_of_this_daemon(std::int64_t pid) {
  const auto above = platform::ancestors_of(pid);
  return std::find(above.begin(), above.end(), static_cast<std::int64_t>(::getpid())) != above.end();
}

}  // namespace

void refuse_living_git(const JobContext& job, const std::string& git_id, core::Fault fault) {
  const auto entry = job.entry(git_id).entry;
  for (const auto& lock : git::locks_in_entry(entry.string())) {
    const auto stat = lstat_of(lock);
    if (!stat) continue;
    const auto gits = platform::processes_at_work("git", {job.slot_path()}, entry.string());
    if (!gits) {
      fail(fault, core::ErrorKind::io_error,
           "whether a git lives that has " + lock.string() + " cannot be told at present");
    }
    for (const auto& living : *gits) {
      const bool made_it = living.started <= static_cast<std::int64_t>(stat->st_mtime) + kClocksApart;
      if (!made_it || !git::may_hold_locks(living.arguments) || is_of_this_daemon(living.pid)) continue;
      fail(fault, core::ErrorKind::contended,
           "git " + std::to_string(living.pid) + " is still at work in " + job.grant.slot.str() + " and has " +
               lock.filename().string() + ": the slot waits for it",
           "ps " + std::to_string(living.pid));
    }
  }
}

}  // namespace wtpool::jobs
