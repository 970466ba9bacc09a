#include "daemon/app/instance.hpp"

#include "common/files.hpp"

namespace wtpool::app {

std::optional<InstanceLock> InstanceLock::try_take(const HostPaths& paths) {
  make_directories(paths.state_dir, 0700);
  auto lock = disk::FileLock::try_take(paths.instance_lock);
  if (!lock) return std::nullopt;
  return InstanceLock(std::move(*lock));
}

void InstanceLock::publish(const InstanceRecord& record) const { lock_.set_text(format_instance(record)); }

}  // namespace wtpool::app
