#include "daemon/jobs/tasks/release/end_processes.hpp"

#include <signal.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "common/base/log.hpp"
#include "common/platform/process.hpp"
#include "daemon/jobs/slot/blame.hpp"

namespace wtpool::jobs {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{5};  // after SIGTERM
constexpr std::chrono::seconds kLimit{10};    // after SIGKILL
constexpr milliseconds kFirstLook{2};
constexpr milliseconds kLook{20};

// The lease's processes that live now. The environment of a process is what it was started with, so children are found whatever
// session or group they moved to; the group finds those that were started with another environment.
std::vector<platform::ProcessStamp> living(const LeaseId& lease, const std::optional<core::Owner>& group) {
  std::vector<platform::ProcessStamp> found;
  for (const auto& process : platform::processes_with_environment("WTPOOL_LEASE=" + lease.str())) {
    if (const auto stamp = platform::stamp_of(process.pid)) found.push_back(*stamp);
  }
  if (group) {
    // A group's id is free again once the group is empty: only while its own leader lives, or nobody led a new one since, is
    // it certainly this group.
    const auto leader = platform::stamp_of(group->pid);
    const bool same =
        leader ? leader->start == group->start && leader->boot_id == group->boot_id : group->boot_id == platform::boot_id();
    if (same) {
      for (const auto pid : platform::processes_of_group(group->pid)) {
        const auto stamp = platform::stamp_of(pid);
        if (stamp && stamp->start >= group->start) found.push_back(*stamp);
      }
    }
  }
  return found;
}

bool wait_until_gone(const LeaseId& lease, const std::optional<core::Owner>& group, int signal, std::chrono::seconds limit) {
  std::set<std::int64_t> told;
  const auto end = steady_clock::now() + limit;
  for (auto pause = kFirstLook;; pause = std::min(kLook, pause * 2)) {
    const auto left = living(lease, group);
    if (left.empty()) return true;
    for (const auto& process : left) {
      // Each is told once; one that appears meanwhile is told as well.
      if (process.pid != ::getpid() && told.insert(process.pid).second && platform::alive(process)) {
        ::kill(static_cast<pid_t>(process.pid), signal);
      }
    }
    if (steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

void end_lease_processes(const LeaseId& lease, const std::optional<core::Owner>& group) {
  if (wait_until_gone(lease, group, SIGTERM, kPatience)) return;
  log_warn("processes of lease " + lease.str() + " did not end on SIGTERM");
  if (wait_until_gone(lease, group, SIGKILL, kLimit)) return;
  fail(core::Fault::quarantine, core::ErrorKind::quarantined, "processes of lease " + lease.str() + " cannot be ended");
}

}  // namespace wtpool::jobs
