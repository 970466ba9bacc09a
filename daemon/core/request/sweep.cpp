#include "daemon/core/request/sweep.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/lease/attach.hpp"
#include "daemon/core/pool/choose.hpp"
#include "daemon/core/request/report.hpp"
#include "daemon/core/rules/locate.hpp"
#include "daemon/core/rules/sweeping.hpp"
#include "daemon/core/state/sentences.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::core {
namespace {

constexpr seconds kMinAge{24 * 3600};

bool is_set_apart(const Slot& slot) { return slot.phase == Phase::quarantined || slot.phase == Phase::repairing; }

bool lives(const Slot& slot) { return slot.phase == Phase::held && slot.ending == Ending::none && slot.lease; }

proto::SweepRow row_of(const Pool& pool, const Slot& slot) {
  proto::SweepRow row;
  row.pool = pool.key.str();
  row.slot = slot.id.str();
  if (slot.lease) row.name = slot.lease->name;
  return row;
}

// What no git needs to look at.
std::optional<proto::SweepRow> row_at_once(const Pool& pool, const Slot& slot) {
  auto row = row_of(pool, slot);
  const std::string in_pool = " --pool " + proto::shell_word(pool.key.str());
  if (is_set_apart(slot)) {
    row.reason = slot.reason.empty() ? "it is quarantined" : slot.reason;
    row.hint = "wtpool repair " + slot.id.str() + in_pool;
    return row;
  }
  if (slot.directory_gone) {
    row.reason = "its directory is gone";
    row.hint = "wtpool release " + proto::shell_word(slot.lease->name) + in_pool;
    return row;
  }
  if (slot.lease->kind != LeaseKind::durable) {
    row.sweep_class = SweepClass::busy;
    row.reason = slot.lease->kind == LeaseKind::process ? "a process owns it, and its end is the lease's end"
                                                        : "a command has it, and its end is the lease's end";
    return row;
  }
  return std::nullopt;
}

// The slots of one pool that are asked about; nothing: a NAME is not held there.
using Slots = std::vector<const Slot*>;
std::optional<Slots> asked_about(Pool& pool, const proto::SweepParams& params, bool only_pool, std::string& missing) {
  Slots slots;
  for (const auto& name : params.names) {
    proto::Target target;
    target.target = name;
    const Found found = locate(pool, target, params.scope.cwd);
    if (found.slot == nullptr || (!lives(*found.slot) && !is_set_apart(*found.slot))) {
      if (!only_pool) continue;  // another pool may have it
      missing = name;
      return std::nullopt;
    }
    if (std::find(slots.begin(), slots.end(), found.slot) == slots.end()) slots.push_back(found.slot);
  }
  if (!params.names.empty()) return slots;
  for (const Slot* slot : slots_in_order(pool)) {
    if (is_set_apart(*slot) || (lives(*slot) && slot->lease->kind == LeaseKind::durable)) slots.push_back(slot);
  }
  return slots;
}

void finish_if_done(Turn& t, Request& request) {
  if (!request.jobs.empty() || !request.sweeping->releasing.empty()) return;
  auto rows = std::move(request.sweeping->rows);
  std::ranges::stable_sort(rows, {}, [](const proto::SweepRow& row) { return std::pair(row.pool, row.slot); });
  answer(t, request.id, proto::SweepResult{std::move(rows)});
}

void judge_slot(Turn& t, Request& request, Pool& pool, const job::GitStatus::Of& of, const SweepFacts& facts) {
  const auto& params = std::get<proto::SweepParams>(request.params);
  Slot* slot = find_slot(t, pool.key, of.slot);
  proto::SweepRow row;
  row.pool = pool.key.str();
  row.slot = of.slot.str();
  row.name = of.lease->name;
  row.dirty = facts.info.dirty;
  row.untracked = facts.new_untracked;
  if (facts.compared) {
    row.ahead = facts.info.ahead;
    row.behind = facts.info.behind;
  }
  row.merged = facts.info.merged;
  if (slot == nullptr || !lives(*slot) || slot->lease->id != of.lease->id) {
    row.sweep_class = SweepClass::busy;
    row.reason = "it was released meanwhile";
    request.sweeping->rows.push_back(std::move(row));
    return;
  }
  const seconds held(std::max<std::int64_t>(0, t.now.wall - of.lease->started_at));
  const auto min_age = params.min_age_seconds ? seconds(*params.min_age_seconds) : kMinAge;
  const auto verdict = judge(facts, slot->attached.size(), held, min_age);
  row.sweep_class = verdict.sweep_class;
  row.reason = verdict.reason;
  const bool releases = is_swept(verdict.sweep_class) && !params.dry_run && request.stop == Stop::none && !t.host.draining;
  if (verdict.sweep_class == SweepClass::broken) {
    row.hint = "wtpool inspect " + proto::shell_word(of.lease->name) + " --pool " + proto::shell_word(pool.key.str());
  }
  request.sweeping->rows.push_back(std::move(row));
  if (!releases) return;
  request.sweeping->releasing.insert({pool.key, slot->id});
  note_change(t, request);
  release_judged(t, pool, *slot, facts, request.id);
}

}  // namespace

void begin_sweep(Turn& t, Request& request) {
  if (request.sweeping) return finish_if_done(t, request);  // one of its releases has ended
  const auto& params = std::get<proto::SweepParams>(request.params);
  const auto pools = listed_pools(t, request, params.scope);
  if (!pools) return;
  request.sweeping.emplace();
  for (const PoolKey& key : *pools) {
    Pool& pool = t.host.pools.at(key);
    std::string missing;
    const auto slots = asked_about(pool, params, pools->size() == 1, missing);
    if (!slots) return refuse(t, request.id, say::not_held(pool, missing));
    job::GitStatus spec{key, {}, true};
    for (const Slot* slot : *slots) {
      if (auto row = row_at_once(pool, *slot)) {
        request.sweeping->rows.push_back(std::move(*row));
      } else {
        spec.slots.push_back({slot->id, slot->git_id, slot->lease});
      }
    }
    if (spec.slots.empty()) continue;
    request.stage = Stage::running;
    request.jobs.insert(ask(t, JobClass::answering, std::move(spec), key, {}, request.id));
  }
  if (!params.names.empty() && request.jobs.empty() && request.sweeping->rows.empty()) {
    Error error(ErrorKind::not_held, "nothing is held as '" + params.names.front() + "'", "wtpool ls");
    return refuse(t, request.id, std::move(error));
  }
  finish_if_done(t, request);
}

void sweep_seen(Turn& t, Request& request, const Job& job, const JobOutcome& outcome) {
  request.jobs.erase(job.id);
  const auto pool = t.host.pools.find(job.pool);
  const auto* done = std::get_if<JobDone>(&outcome);
  const auto* read = done == nullptr ? nullptr : std::get_if<done::StatusRead>(done);
  const auto& spec = std::get<job::GitStatus>(job.spec);
  for (const auto& of : spec.slots) {
    if (pool == t.host.pools.end()) break;
    SweepFacts facts;
    facts.broken = "git could not look at it";
    if (const auto* failed = std::get_if<JobFailed>(&outcome)) facts.broken = failed->error.message;
    if (read != nullptr) {
      for (const auto& [slot, seen] : read->slots) {
        if (slot == of.slot) facts = seen;
      }
    }
    judge_slot(t, request, pool->second, of, facts);
  }
  finish_if_done(t, request);
}

}  // namespace wtpool::core
