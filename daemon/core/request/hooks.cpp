#include "daemon/core/request/hooks.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/request/report.hpp"
#include "daemon/core/rules/locate.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"

namespace wtpool::core {
namespace {

bool is_id(const std::string& text) {
  return (text.size() == 40 || text.size() == 64) && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool is_held(const Slot& slot) { return slot.phase == Phase::held && slot.lease && !slot.git_id.empty(); }

}  // namespace

void begin_hooks(Turn& t, Request& request, Pool& pool) {
  const auto& params = std::get<proto::HooksGetParams>(request.params);
  if (params.commit && !is_id(*params.commit))
    return refuse(t, request.id, {ErrorKind::invalid_params, "commit: takes the full id of a commit"});
  const Found found = locate(pool, params.target, params.scope.cwd);
  const bool held = found.slot != nullptr && is_held(*found.slot);
  if (names_one(params.target) && !held) return refuse(t, request.id, say::not_held(pool, found.asked));
  job::ReadHooks look{pool.key, {}, std::nullopt};
  if (params.commit) look.commit = Oid(*params.commit);
  if (held) {
    request.slot = found.slot->id;
    look.git_id = found.slot->git_id;
  }
  request.stage = Stage::running;
  request.jobs.insert(ask(t, JobClass::answering, std::move(look), pool.key, {}, request.id));
}

proto::HooksResult hooks_result(Turn& t, const Job& job, const done::HooksRead& done) {
  proto::HooksResult result = done.result;
  result.timeout_seconds = t.host.settings.hook_timeout.count();
  const Request& request = t.host.requests.at(*job.request);
  const auto pool = t.host.pools.find(job.pool);
  if (pool == t.host.pools.end()) return result;
  const auto slot = pool->second.slots.find(request.slot);
  if (slot != pool->second.slots.end() && is_held(slot->second)) result.held = slot_info(pool->second, slot->second, t.now);
  return result;
}

}  // namespace wtpool::core
