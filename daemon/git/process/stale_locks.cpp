#include "daemon/git/process/stale_locks.hpp"

#include <unistd.h>

#include <algorithm>
#include <mutex>

#include "common/base/clock.hpp"
#include "common/base/log.hpp"
#include "common/files/files.hpp"
#include "daemon/git/process/lock_holders.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kClockGrain = 1;  // of file systems with whole seconds
constexpr std::int64_t kLastWords = 60;  // what a git's own children may still do when it is gone
constexpr useconds_t kLookAgain = 100'000;

// What goes while it is listed is no lock of anybody's any more; what cannot be listed throws.
void add_ref_locks(const fs::path& directory, std::vector<fs::path>& locks) {
  for (const fs::path& child : children_of(directory)) {
    if (is_directory_no_follow(child)) {
      add_ref_locks(child, locks);
    } else if (child.extension() == ".lock") {
      locks.push_back(child);
    }
  }
}

// packed-refs.new before packed-refs.lock, which keeps others from making it.
std::vector<fs::path> lock_files(const fs::path& common_dir) {
  std::vector<fs::path> locks = {common_dir / "packed-refs.new", common_dir / "packed-refs.lock", common_dir / "config.lock"};
  add_ref_locks(common_dir / "refs", locks);
  // Of a slot whose HEAD moves in the same transaction.
  for (const fs::path& entry : children_of(common_dir / "worktrees")) locks.push_back(entry / "HEAD.lock");
  return locks;
}

bool made_in(const std::vector<Life>& lives, std::int64_t made) {
  return std::any_of(lives.begin(), lives.end(),
                     [made](const Life& life) { return life.from - kClockGrain <= made && made <= life.to + kClockGrain; });
}

std::optional<SharedLock> look_at(const fs::path& file, const std::vector<Life>& lives) {
  const auto stat = lstat_of(file);
  if (!stat) return std::nullopt;
  SharedLock lock;
  lock.file = file;
  lock.regular = S_ISREG(stat->st_mode);
  lock.made = static_cast<std::int64_t>(stat->st_mtime);
  lock.seen = *stat;
  lock.ours = made_in(lives, lock.made);
  return lock;
}

void ask_who_has_it(SharedLock& lock, const std::string& common_dir, std::int64_t made) {
  const auto holders = holders_of(lock.file, made, common_dir);
  lock.tellable = holders.has_value();
  if (holders) lock.held_by = *holders;
}

// Nothing when they cannot be listed: then none is judged.
std::optional<std::vector<fs::path>> lock_files_if_told(const std::string& common_dir) {
  try {
    return lock_files(common_dir);
  } catch (const proto::Error& error) {
    log_warn("stale locks are not looked for: " + error.message);
    return std::nullopt;
  }
}

// Two that judged the same lock would not both be right: behind the first a live git may take the name at once.
std::mutex removing;

// What was judged, and not what has its name by now: a look at who has it open takes its time.
bool remove_judged(const SharedLock& lock) {
  const std::lock_guard one_at_a_time(removing);
  const auto now = lstat_of(lock.file);
  const auto& then = lock.seen;
  const bool same = now && now->st_dev == then.st_dev && now->st_ino == then.st_ino && changed_ns(*now) == changed_ns(then);
  return same && ::unlink(lock.file.c_str()) == 0;
}

}  // namespace

std::vector<SharedLock> shared_locks(const std::string& common_dir) {
  const auto lives = killed_in(common_dir);
  std::vector<SharedLock> found;
  for (const fs::path& file : lock_files(common_dir)) {
    auto lock = look_at(file, lives);
    if (!lock) continue;
    ask_who_has_it(*lock, common_dir, lock->made);
    found.push_back(std::move(*lock));
  }
  return found;
}

Healed heal_shared_locks(const std::string& common_dir) {
  Healed healed;
  const auto lives = killed_in(common_dir);
  if (lives.empty()) return healed;
  const std::int64_t now = wall_now();
  bool left = false;
  const auto files = lock_files_if_told(common_dir);
  if (!files) return healed;
  for (const fs::path& file : *files) {
    auto lock = look_at(file, lives);
    if (!lock || !lock->ours) continue;
    left = true;
    ask_who_has_it(*lock, common_dir, lock->made);
    const bool may_wait = now >= lock->made;  // one from the future would never get old
    if (!lock->nobodys()) {
      if (may_wait && lock->regular && now - lock->made < kHoldersPatience) healed.awaited.push_back(file);
    } else if (!lock->old_enough(now)) {
      if (may_wait) healed.awaited.push_back(file);
    } else if (remove_judged(*lock)) {
      log_warn("removed " + file.string() + ", left by a git that was killed");
      healed.removed.push_back(file);
    }
  }
  healed.young = !healed.awaited.empty();
  if (!left) forget_killed(common_dir, now - kLastWords);
  return healed;
}

bool heal_after_killed(const std::string& common_dir, const std::function<bool()>& stop) {
  std::vector<fs::path> awaited;
  for (bool gone = false;;) {
    const Healed healed = heal_shared_locks(common_dir);
    const auto is_gone = [](const fs::path& file) { return !lstat_of(file); };
    gone = gone || !healed.removed.empty() || std::any_of(awaited.begin(), awaited.end(), is_gone);
    if (!healed.young || stop()) return gone;
    awaited = healed.awaited;
    ::usleep(kLookAgain);
  }
}

void heal_locks_of_past_boots(const std::string& common_dir) {
  const std::int64_t boot = booted_at() - kClockGrain;
  for (const fs::path& file : lock_files_if_told(common_dir).value_or(std::vector<fs::path>{})) {
    auto lock = look_at(file, {});
    const std::int64_t now = wall_now();
    if (!lock || lock->made >= boot || !lock->old_enough(now)) continue;
    // A clock that was set forward since makes one of this boot look older than the machine: any git counts that is at work
    // now.
    ask_who_has_it(*lock, common_dir, now);
    if (lock->nobodys() && remove_judged(*lock))
      log_warn("removed " + file.string() + ", left from before this machine was started");
  }
}

}  // namespace wtpool::git
