// Which pool a request means, and whether it can be served now.
#include "daemon/core/pool/choose.hpp"

#include "daemon/core/pool/load.hpp"
#include "daemon/core/rules/locate.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

Choice choose_pool(Turn& t, Request& request, const proto::Scope& given) {
  Host& host = t.host;
  proto::Scope scope = given;
  const auto named = named_by(request.params);
  if (named && is_path(*named)) scope.cwd = *named;
  std::optional<PoolKey> key;
  if (scope.pool) {
    key = PoolKey(*scope.pool);
    if (!host.pools.contains(*key)) return say::pool_unknown(host, *key);
  } else {
    for (const auto& [each, pool] : host.pools) {
      if (pool.loading()) return Park{};
    }
    if (host.pools.empty()) return say::no_pools();
    key = infer_pool(host, scope);
    if (!key && named) key = only_pool_with(host, *named);
    if (!key && named && is_path(*named)) return say::in_no_pool(*named);
    if (!key) return say::pool_ambiguous(host);
  }
  Pool& pool = host.pools.at(*key);
  if (pool.loading()) return Park{};
  if (!pool.present)
    return say::pool_unavailable(*key, "its .meta/config.yaml is not there, or its directory is on another device than before");
  if (!pool.ready()) {
    if (!request.reload_tried) {
      request.reload_tried = true;
      load_pool(t, pool);
      return Park{};
    }
    return *pool.unavailable;
  }
  if (pool.removing) return say::pool_unavailable(*key, "it is being removed");
  return *key;
}

}  // namespace wtpool::core
