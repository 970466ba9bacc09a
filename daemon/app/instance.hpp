// Being the one daemon of this user. Holding the lock is a type: the service takes it by value and cannot start without.
#pragma once

#include <optional>

#include "common/host_paths.hpp"
#include "daemon/disk/locks.hpp"

namespace wtpool::app {

class InstanceLock {
 public:
  // Nothing when another daemon holds it. Throws proto::Error when the state directory cannot be used.
  [[nodiscard]] static std::optional<InstanceLock> try_take(const HostPaths& paths);
  void publish(const InstanceRecord& record) const;

 private:
  explicit InstanceLock(disk::FileLock lock) : lock_(std::move(lock)) {}
  disk::FileLock lock_;
};

}  // namespace wtpool::app
