#include "daemon/app/owners.hpp"

#include <asio/post.hpp>

#include "common/platform/process.hpp"

namespace wtpool::app {

void OwnerWatch::watch(const LeaseId& lease, const core::Owner& owner) {
  Fd fd = platform::watch_exit({owner.pid, owner.start, owner.boot_id});
  if (!fd.valid()) {
    asio::post(loop_, [this, lease] { gone_(lease); });
    return;
  }
  auto descriptor = std::make_shared<asio::posix::stream_descriptor>(loop_, fd.release());
  watched_[lease] = descriptor;
  descriptor->async_wait(asio::posix::stream_descriptor::wait_read, [this, lease, descriptor](asio::error_code error) {
    if (error) return;
    watched_.erase(lease);
    gone_(lease);
  });
}

void OwnerWatch::unwatch(const LeaseId& lease) {
  const auto found = watched_.find(lease);
  if (found == watched_.end()) return;
  asio::error_code ignored;
  found->second->close(ignored);
  watched_.erase(found);
}

std::optional<core::Owner> owner_of(std::int64_t pid) {
  const auto stamp = platform::stamp_of(pid);
  if (!stamp) return std::nullopt;
  return core::Owner{stamp->pid, stamp->start, stamp->boot_id};
}

}  // namespace wtpool::app
