// Which pool and which slot a request means.
#pragma once

#include "daemon/core/state/host.hpp"

namespace wtpool::core {

// Nothing: no way to say which one; reports then speak of all.
[[nodiscard]] std::optional<PoolKey> infer_pool(const Host& host, const proto::Scope& scope);
struct Found {
  Slot* slot = nullptr;
  std::string asked;  // what was asked for, for messages
  bool by_slot = false;
};
[[nodiscard]] Found locate(Pool& pool, const proto::Target& target, const std::optional<std::string>& cwd);
// Does it name a slot by anything but the caller's directory?
[[nodiscard]] bool names_one(const proto::Target& target);
// The slot that this lease has; nothing: none in this pool, or no lease is given.
[[nodiscard]] Slot* slot_of_lease(Pool& pool, const std::optional<std::string>& lease);
// Whether any slot of this host is under that lease.
[[nodiscard]] bool lives(const Host& host, const std::string& lease);
// Whether `slot` is under another lease than the caller's, `held_by`, which is over. While that one lives in another slot, the
// caller knows which one he names.
[[nodiscard]] bool is_anothers(const Host& host, const Slot& slot, const std::optional<std::string>& held_by);
[[nodiscard]] bool inside(const std::string& path, const std::string& root);

}  // namespace wtpool::core
