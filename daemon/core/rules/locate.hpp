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
[[nodiscard]] bool inside(const std::string& path, const std::string& root);

}  // namespace wtpool::core
