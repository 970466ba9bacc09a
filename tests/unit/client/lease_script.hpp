// What a daemon says to a `run`, in the order that it is asked.
#pragma once

#include <fstream>
#include <string>

#include "tests/unit/client/fake_daemon.hpp"

namespace wtpool::client::testing {

// Waits for a condition of a command that runs elsewhere; false when it never came true.
inline bool comes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    ::poll(nullptr, 0, 5);
  }
  return false;
}

inline std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// True as soon as the file is there with something in it.
inline bool appears(const std::filesystem::path& file) {
  return comes_true([&file] { return !text_of(file).empty(); });
}

inline proto::AcquireResult lease_in(const std::filesystem::path& directory) {
  proto::AcquireResult lease;
  lease.pool = "app";
  lease.slot = "slot-0";
  lease.path = directory.string();
  lease.name = lease.branch = "x";
  lease.full_sha = std::string(40, 'a');
  lease.lease_id = std::string(32, 'b');
  return lease;
}

inline proto::SlotListResult snapshot_of(const proto::AcquireResult& lease) {
  proto::SlotInfo slot;
  slot.pool = lease.pool;
  slot.slot = lease.slot;
  slot.path = lease.path;
  slot.state = proto::SlotState::held;
  slot.lease = proto::LeaseInfo{lease.lease_id, proto::LeaseKind::connection, {}, {}, {}};
  return {{slot}};
}

inline proto::EventNote event_of(const proto::AcquireResult& lease, const std::string& type) {
  proto::EventNote event;
  event.seq = 1;
  event.pool = lease.pool;
  event.slot = lease.slot;
  event.type = type;
  event.name = lease.name;
  event.lease_id = lease.lease_id;
  return event;
}

// The daemon's side of one run, with what it was told.
struct Lease {
  explicit Lease(const std::filesystem::path& directory) : granted(lease_in(directory)) {}

  proto::AcquireResult granted;
  proto::AcquireParams asked;
  std::int64_t group = 0;
  std::optional<proto::ReleaseParams> released;

  bool grant(Peer& peer) {
    peer.greet();
    auto acquire = peer.request<proto::AcquireParams>();
    if (!acquire) return false;
    asked = *acquire;
    peer.answer(granted);
    return true;
  }
  bool confirm(Peer& peer) {
    const auto confirm = peer.request<proto::ConfirmParams>();
    if (!confirm || confirm->lease_id != granted.lease_id) return false;
    group = confirm->process_group.value_or(0);
    return true;
  }
  bool subscribe(Peer& peer) {
    const auto asked_for = peer.request<proto::SubscribeParams>();
    if (!asked_for || asked_for->scope.pool != granted.pool) return false;
    peer.answer(snapshot_of(granted));
    return true;
  }
  bool start(Peer& peer) {
    if (!grant(peer) || !confirm(peer)) return false;
    peer.answer(proto::EmptyResult{});
    return subscribe(peer);
  }
  bool asked_to_release(Peer& peer) {
    if (!peer.request<proto::RenewParams>()) return false;
    peer.answer(proto::RenewResult{});
    released = peer.request<proto::ReleaseParams>();
    return released.has_value();
  }
  bool release(Peer& peer) {
    if (!asked_to_release(peer)) return false;
    peer.answer(proto::ReleaseResult{false, granted.slot, std::nullopt});
    return true;
  }
  FakeDaemon::Script whole() {
    return [this](Peer& peer) { static_cast<void>(start(peer) && release(peer)); };
  }
};

}  // namespace wtpool::client::testing
