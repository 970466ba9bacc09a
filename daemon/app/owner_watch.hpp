// Watches the processes that process leases belong to. On the loop's thread alone.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>

#include "common/platform/process.hpp"
#include "daemon/core/state/values.hpp"

namespace wtpool::app {

class OwnerWatch {
 public:
  OwnerWatch(asio::io_context& loop, std::function<void(LeaseId)> gone) : loop_(loop), gone_(std::move(gone)) {}
  // Reports, on a later turn, once that very process has ended; at once when it already has, or when the machine was rebooted.
  // Where the system gives no descriptor for it, it is looked at each second.
  void watch(const LeaseId& lease, const core::Owner& owner);
  void unwatch(const LeaseId& lease);

 private:
  void watch(const LeaseId& lease, const platform::ProcessStamp& stamp);
  void look_later(const LeaseId& lease, const platform::ProcessStamp& stamp);

  asio::io_context& loop_;
  std::function<void(LeaseId)> gone_;
  std::map<LeaseId, std::shared_ptr<asio::posix::stream_descriptor>> watched_;
  std::map<LeaseId, std::shared_ptr<asio::steady_timer>> looked_at_;
};

// The process with this pid now, for good; nothing when there is none.
[[nodiscard]] std::optional<core::Owner> owner_of(std::int64_t pid);

}  // namespace wtpool::app
