#include "daemon/app/instance.hpp"

#include <chrono>
#include <thread>

#include "common/files/files.hpp"

namespace wtpool::app {
namespace {

constexpr int kTries = 25;
constexpr std::chrono::milliseconds kPause{20};

}  // namespace

std::optional<InstanceLock> InstanceLock::try_take(const HostPaths& paths) {
  make_directories(paths.state_dir, 0700);
  // Clients look whether the lock is held by taking it for a moment, shared: a miss without a holder on record is theirs.
  auto lock = disk::FileLock::try_take(paths.instance_lock);
  for (int attempt = 0; !lock && attempt < kTries; ++attempt) {
    if (running_instance(paths.instance_lock)) return std::nullopt;
    std::this_thread::sleep_for(kPause);
    lock = disk::FileLock::try_take(paths.instance_lock);
  }
  if (!lock) return std::nullopt;
  return InstanceLock(std::move(*lock));
}

void InstanceLock::publish(const InstanceRecord& record) const { lock_.set_text(format_instance(record)); }

}  // namespace wtpool::app
