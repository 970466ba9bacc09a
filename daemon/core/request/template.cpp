#include "daemon/core/request/template.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/rules/placement.hpp"
#include "daemon/core/state/sentences.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::core {
namespace {

void freeze(Turn& t, Request& request, Pool& pool, const Slot& slot) {
  const auto& params = std::get<proto::TemplateMakeParams>(request.params);
  job::MakeTemplate spec;
  spec.request = request.id;
  spec.group = slot.group;
  if (slot.phase == Phase::held) spec.lease = slot.lease;
  spec.caller_pids = params.caller_pids;
  request.stage = Stage::running;
  request.slot = slot.id;
  request.jobs.insert(ask(t, JobClass::answering, std::move(spec), pool.key, {slot.id}, request.id));
}

Error no_idle_slot(const Pool& pool) {
  return {ErrorKind::contended, "cannot freeze a slot of pool '" + pool.key.str() + "': none is idle",
          "wtpool prepare --pool " + proto::shell_word(pool.key.str()) + " -- true"};
}

void freeze_held(Turn& t, Request& request, Pool& pool, const std::string& lease) {
  for (const auto& [id, slot] : pool.slots) {
    if (!slot.lease || slot.lease->id.str() != lease) continue;
    if (slot.phase == Phase::held && slot.ending == Ending::none) return freeze(t, request, pool, slot);
  }
  refuse(t, request.id, say::lease_lost("cannot freeze the slot"));
}

void freeze_named(Turn& t, Request& request, Pool& pool, const std::string& name) {
  const auto found = pool.slots.find(SlotId(name));
  if (found == pool.slots.end()) return refuse(t, request.id, say::slot_unknown(pool, name));
  if (found->second.phase == Phase::idle) return freeze(t, request, pool, found->second);
  Error error(ErrorKind::contended, "cannot freeze " + name + " of pool '" + pool.key.str() + "': it is not idle",
              "wtpool ls --pool " + proto::shell_word(pool.key.str()));
  error.slot = name;
  refuse(t, request.id, std::move(error));
}

}  // namespace

void begin_template_make(Turn& t, Request& request, Pool& pool) {
  const auto& params = std::get<proto::TemplateMakeParams>(request.params);
  if (params.lease_id) return freeze_held(t, request, pool, *params.lease_id);
  if (params.slot) return freeze_named(t, request, pool, *params.slot);
  request.stage = Stage::running;
  job::Resolve spec{request.id, pool.key, params.commit.value_or(pool.config->default_commit), "HEAD", false};
  request.jobs.insert(ask(t, JobClass::answering, std::move(spec), pool.key, {}, request.id));
}

void template_commit_resolved(Turn& t, Request& request, const done::Resolved& facts) {
  const auto& params = std::get<proto::TemplateMakeParams>(request.params);
  const auto found = t.host.pools.find(request.pool);
  if (found == t.host.pools.end()) return refuse(t, request.id, say::pool_unknown(t.host, request.pool));
  Pool& pool = found->second;
  if (!facts.commit) {
    return refuse(t, request.id, say::commit_unknown(pool, params.commit.value_or(pool.config->default_commit)));
  }
  Acquiring wanted;
  wanted.full_sha = *facts.commit;
  wanted.resolved = facts;
  for (const auto& [id, slot] : pool.slots)
    if (slot.phase == Phase::fresh || (slot.phase == Phase::idle && params.group && slot.group != params.group))
      wanted.set_aside.insert(id);
  auto group = params.group;
  if (!group && !pool.config->groups.empty()) group = pool.config->groups.front();
  const Slot* slot = best_slot(t.host, pool, group, wanted);
  if (slot == nullptr) return refuse(t, request.id, no_idle_slot(pool));
  freeze(t, request, pool, *slot);
}

void template_made(Turn& t, const Job& job, const JobOutcome& outcome) {
  Request* request = job.request ? find_request(t, *job.request) : nullptr;
  if (request == nullptr) return;
  request->jobs.erase(job.id);
  const auto* done = std::get_if<JobDone>(&outcome);
  if (const auto* made = done == nullptr ? nullptr : std::get_if<done::TemplateMade>(done)) {
    return answer(t, request->id, proto::TemplateInfo(made->made));
  }
  const auto* failed = std::get_if<JobFailed>(&outcome);
  refuse(t, request->id,
         failed != nullptr ? failed->error : Error(ErrorKind::internal, "a slot was frozen without saying how it went"));
}

void begin_template_list(Turn& t, Request& request, std::vector<PoolKey> pools) {
  request.stage = Stage::running;
  request.jobs.insert(ask(t, JobClass::answering, job::ListTemplates{std::move(pools)}, PoolKey{}, {}, request.id));
}

}  // namespace wtpool::core
