// Locks in a source that stop everybody: packed-refs.lock, locks of refs and of the config, HEAD.lock of a slot; and
// packed-refs.new, which git 2.39 leaves when it is killed and then cannot get past. Only what a killed git of ours can have
// made is ever removed: a regular file of its time, 10 s old, that no living process may still need. Any thread.
#pragma once

#include <sys/stat.h>

#include <functional>

#include "daemon/git/process/killed_gits.hpp"

namespace wtpool::git {

inline constexpr std::int64_t kLockOldEnough = 10;    // seconds
inline constexpr std::int64_t kHoldersPatience = 30;  // how old it may get while others wait for whoever may hold it

struct SharedLock {
  std::filesystem::path file;
  bool regular = false;               // no symlink, no directory
  std::int64_t made = 0;              // seconds, UTC
  std::vector<std::int64_t> held_by;  // processes that may still need it, see lock_holders.hpp
  bool tellable = true;               // whether that could be looked at
  bool ours = false;                  // made while a git of ours lived that was killed
  struct ::stat seen {};
  // May be taken away, now or when it is old enough.
  [[nodiscard]] bool nobodys() const { return regular && tellable && held_by.empty(); }
  [[nodiscard]] bool old_enough(std::int64_t now) const { return now - made >= kLockOldEnough; }
};
// All that stand now, of any age and anybody's.
[[nodiscard]] std::vector<SharedLock> shared_locks(const std::string& common_dir);

struct Healed {
  std::vector<std::filesystem::path> removed;
  bool young = false;  // one of ours is not old enough yet, or a git that may hold it still lives and will not for long
  std::vector<std::filesystem::path> awaited;  // those
};
// Never waits. Costs one lookup when no git of ours was killed in there.
[[nodiscard]] Healed heal_shared_locks(const std::string& common_dir);
// Waits for the young ones, too. True when one was removed, or given back by whoever had it: what failed on it may be tried
// again.
[[nodiscard]] bool heal_after_killed(const std::string& common_dir, const std::function<bool()>& stop);

// Whoever made a lock before this machine was started is gone, whether he was ours or not: after a power loss there is no
// record of him. For when a pool is loaded.
void heal_locks_of_past_boots(const std::string& common_dir);

}  // namespace wtpool::git
