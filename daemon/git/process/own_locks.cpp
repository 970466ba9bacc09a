#include "daemon/git/process/own_locks.hpp"

#include <unistd.h>

#include <algorithm>

#include "common/base/log.hpp"
#include "common/files/files.hpp"
#include "common/platform/open_files.hpp"
#include "common/platform/process.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/process/helpers.hpp"
#include "daemon/git/process/lock_holders.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr useconds_t kLookAgain = 50'000;
constexpr std::int64_t kClocksApart = 2;  // seconds

void add_ref_locks(const fs::path& directory, std::vector<fs::path>& locks) {
  if (!is_directory_no_follow(directory)) return;
  for (const fs::path& child : children_of(directory)) {
    if (is_directory_no_follow(child)) {
      add_ref_locks(child, locks);
    } else if (child.extension() == ".lock") {
      locks.push_back(child);
    }
  }
}

std::vector<fs::path> locks_of(const fs::path& entry) {
  std::vector<fs::path> locks = locks_in_entry(entry.string());
  add_ref_locks(entry / "refs", locks);
  return locks;
}

// False also where it cannot be told.
bool is_nobodys(const fs::path& lock, const fs::path& entry, const fs::path& slot) {
  const auto stat = lstat_of(lock);
  if (!stat) return true;
  const auto openers = openers_of(lock);
  const auto gits = platform::processes_at_work("git", {slot, entry}, entry.string());
  if (!openers || !gits || !openers->empty()) return false;
  return std::none_of(gits->begin(), gits->end(), [&](const platform::ProcessAtWork& git) {
    const bool was_there = git.started <= static_cast<std::int64_t>(stat->st_mtime) + kClocksApart;
    return was_there && may_hold_locks(git.arguments) && !is_idle_helper(git.pid);
  });
}

}  // namespace

std::vector<fs::path> heal_own_locks(const fs::path& entry, const fs::path& slot, std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    std::vector<fs::path> held;
    for (const fs::path& lock : locks_of(entry)) {
      if (!is_nobodys(lock, entry, slot)) {
        held.push_back(lock);
      } else {
        remove_lock(entry.string(), lock);
        log_warn("removed " + lock.string() + ", which nobody holds; its slot is being given back");
      }
    }
    if (held.empty() || std::chrono::steady_clock::now() >= end) return held;
    ::usleep(kLookAgain);
  }
}

}  // namespace wtpool::git
