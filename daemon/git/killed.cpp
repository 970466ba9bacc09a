#include "daemon/git/killed.hpp"

#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <vector>

#include "common/clock.hpp"
#include "common/files.hpp"
#include "common/log.hpp"
#include "daemon/git/open_files.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kOldEnough = 10;
constexpr std::int64_t kClockGrain = 1;  // of file systems with whole seconds
constexpr std::size_t kRemembered = 64;

struct Life {
  std::int64_t from = 0;
  std::int64_t to = 0;
};

class Record {
 public:
  void add(const std::string& common_dir, Life life) {
    const std::lock_guard guard(mutex_);
    auto& lives = lives_[common_dir];
    if (lives.size() == kRemembered) lives.erase(lives.begin());
    lives.push_back(life);
  }
  std::vector<Life> of(const std::string& common_dir) {
    const std::lock_guard guard(mutex_);
    const auto found = lives_.find(common_dir);
    return found == lives_.end() ? std::vector<Life>{} : found->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<Life>> lives_;
};

Record& record() {
  static Record instance;
  return instance;
}

std::vector<fs::path> locks_of(const fs::path& common_dir) {
  std::vector<fs::path> locks = {common_dir / "packed-refs.lock", common_dir / "config.lock"};
  std::error_code ignored;
  for (fs::recursive_directory_iterator it(common_dir / "refs", fs::directory_options::skip_permission_denied, ignored), end;
       !ignored && it != end; it.increment(ignored)) {
    if (it->path().extension() == ".lock") locks.push_back(it->path());
  }
  // Of a slot whose HEAD moves in the same transaction.
  for (fs::directory_iterator it(common_dir / "worktrees", ignored), end; !ignored && it != end; it.increment(ignored)) {
    locks.push_back(it->path() / "HEAD.lock");
  }
  return locks;
}

}  // namespace

std::string common_dir_of(const Place& place) {
  const fs::path directory(place.git_dir);
  return directory.parent_path().filename() == "worktrees" ? directory.parent_path().parent_path().string() : place.git_dir;
}

void remember_killed(const std::string& common_dir, std::int64_t from, std::int64_t to) {
  if (!common_dir.empty()) record().add(common_dir, {from, to});
}

bool heal_after_killed(const std::string& common_dir, const std::function<bool()>& stop) {
  const auto lives = record().of(common_dir);
  if (lives.empty()) return false;
  for (bool removed = false;;) {
    bool young = false;
    for (const fs::path& lock : locks_of(common_dir)) {
      const auto stat = lstat_of(lock);
      if (!stat || !S_ISREG(stat->st_mode)) continue;
      const auto made = static_cast<std::int64_t>(stat->st_mtime);
      const bool ours = std::any_of(lives.begin(), lives.end(), [made](const Life& life) {
        return life.from - kClockGrain <= made && made <= life.to + kClockGrain;
      });
      if (!ours || is_open_somewhere(lock)) continue;
      if (wall_now() - made < kOldEnough) {
        young = young || wall_now() >= made;  // one from the future would never get old
      } else if (::unlink(lock.c_str()) == 0) {
        log_warn("removed " + lock.string() + ", left by a git that was killed");
        removed = true;
      }
    }
    if (!young || stop()) return removed;
    ::usleep(100'000);
  }
}

}  // namespace wtpool::git
