#include "daemon/app/owner_watch.hpp"

#include <chrono>

namespace wtpool::app {
namespace {

constexpr std::chrono::seconds kLookEvery{1};

}  // namespace

void OwnerWatch::watch(const LeaseId& lease, const core::Owner& owner) {
  watch(lease, platform::ProcessStamp{owner.pid, owner.start, owner.boot_id});
}

void OwnerWatch::watch(const LeaseId& lease, const platform::ProcessStamp& stamp) {
  Fd fd = platform::watch_exit(stamp);
  if (!fd.valid()) return look_later(lease, stamp);
  auto descriptor = std::make_shared<asio::posix::stream_descriptor>(loop_, fd.release());
  watched_[lease] = descriptor;
  descriptor->async_wait(asio::posix::stream_descriptor::wait_read, [this, lease, descriptor](asio::error_code error) {
    if (error) return;
    watched_.erase(lease);
    gone_(lease);
  });
}

// No kernel before Linux 5.3 has such descriptors, a sandbox may forbid them, and there may be none left: nobody has ended by
// that.
void OwnerWatch::look_later(const LeaseId& lease, const platform::ProcessStamp& stamp) {
  auto timer = std::make_shared<asio::steady_timer>(loop_);
  looked_at_[lease] = timer;
  timer->expires_after(platform::has_ended(stamp) ? std::chrono::seconds(0) : kLookEvery);
  timer->async_wait([this, lease, stamp, timer](asio::error_code error) {
    const auto found = looked_at_.find(lease);
    if (error || found == looked_at_.end() || found->second != timer) return;
    looked_at_.erase(found);
    if (platform::has_ended(stamp)) return gone_(lease);
    watch(lease, stamp);
  });
}

void OwnerWatch::unwatch(const LeaseId& lease) {
  if (const auto timer = looked_at_.extract(lease)) timer.mapped()->cancel();
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
