// Watches the processes that process leases belong to. On the loop's thread alone.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <map>
#include <memory>

#include "daemon/core/values.hpp"

namespace wtpool::app {

class OwnerWatch {
 public:
  OwnerWatch(asio::io_context& loop, std::function<void(LeaseId)> gone) : loop_(loop), gone_(std::move(gone)) {}
  // Reports, on a later turn, once that very process has ended; at once when it already has, or when the machine was rebooted.
  void watch(const LeaseId& lease, const core::Owner& owner);
  void unwatch(const LeaseId& lease);

 private:
  asio::io_context& loop_;
  std::function<void(LeaseId)> gone_;
  std::map<LeaseId, std::shared_ptr<asio::posix::stream_descriptor>> watched_;
};

// The process with this pid now, for good; nothing when there is none.
[[nodiscard]] std::optional<core::Owner> owner_of(std::int64_t pid);

}  // namespace wtpool::app
