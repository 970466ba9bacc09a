// One slot at a time, and only where the job starts in this very turn: until then a fresh slot is anybody's.
#include "daemon/core/slot/warm.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/rules/consequences.hpp"
#include "daemon/core/slot/upkeep.hpp"
#include "daemon/core/state/sentences.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::core {
namespace {

using Group = std::optional<std::string>;

constexpr seconds kMakeAgain{60};

std::vector<Group> groups_of(const Pool& pool) {
  if (pool.config->groups.empty()) return {std::nullopt};
  return {pool.config->groups.begin(), pool.config->groups.end()};
}

struct Count {
  std::int64_t idle = 0;
  std::int64_t soon = 0;   // on their way to idle
  std::int64_t fresh = 0;  // may still be made
};
Count count_slots(const Pool& pool, const Group& group) {
  Count count;
  for (const auto& [id, slot] : pool.slots) {
    if (slot.group != group) continue;
    if (slot.phase == Phase::idle) ++count.idle;
    if (slot.phase == Phase::recycling || slot.phase == Phase::recovering || slot.phase == Phase::making) ++count.soon;
    if (slot.phase == Phase::fresh && slot.number < pool.config->max_slots) ++count.fresh;
  }
  return count;
}

proto::WarmResult result_of(const Pool& pool, const proto::WarmParams& params) {
  const Count count = count_slots(pool, params.group);
  return {count.idle, std::min(params.count, count.idle + count.soon + count.fresh)};
}

std::optional<Error> check_group(const Pool& pool, const proto::WarmParams& params) {
  const auto& groups = pool.config->groups;
  if (groups.empty()) return params.group ? std::optional(say::group_refused(pool, *params.group)) : std::nullopt;
  if (!params.group) {
    Error error = say::group_wanted(pool, {});
    error.hint = "wtpool warm " + std::to_string(params.count) + " --group " + proto::shell_word(groups.front()) + " --pool " +
                 proto::shell_word(pool.key.str());
    return error;
  }
  if (std::find(groups.begin(), groups.end(), *params.group) == groups.end()) return say::group_unknown(pool, *params.group);
  return std::nullopt;
}

void answer_waiters(Turn& t, const Pool& pool) {
  std::vector<RequestId> done;
  for (const auto& [id, request] : t.host.requests) {
    if (request.stage != Stage::warming || request.pool != pool.key) continue;
    const auto result = result_of(pool, std::get<proto::WarmParams>(request.params));
    if (result.idle >= result.wanted) done.push_back(id);
  }
  for (const RequestId id : done) answer(t, id, result_of(pool, std::get<proto::WarmParams>(find_request(t, id)->params)));
}

void refuse_waiters(Turn& t, const Pool& pool, const Error& error) {
  std::vector<RequestId> waiting;
  for (const auto& [id, request] : t.host.requests)
    if (request.stage == Stage::warming && request.pool == pool.key) waiting.push_back(id);
  for (const RequestId id : waiting) refuse(t, id, error);
}

// Work that somebody waits for comes first.
bool may_make(const Host& host, const Pool& pool) {
  if (!pool.queue.empty() || !pool.waiting.empty() || pool.make_again) return false;
  const auto source = host.sources.find(pool.place->source);
  return (source == host.sources.end() || !source->second.writer) && may_start_now(host, JobClass::background);
}

Slot* slot_to_make(Pool& pool, const Group& group) {
  Slot* first = nullptr;
  for (auto& [id, slot] : pool.slots) {
    if (slot.group != group || slot.phase != Phase::fresh || slot.number >= pool.config->max_slots) continue;
    if (slot.job || slot.retry_at) continue;
    if (first == nullptr || slot.number < first->number) first = &slot;
  }
  return first;
}

// Whether the number that is wanted of this group stands, or will without anything being made.
bool stands(const Pool& pool, const Group& group) {
  const auto asked = pool.warm_wanted.find(group);
  const std::int64_t wanted = std::max(pool.config->warm, asked == pool.warm_wanted.end() ? 0 : asked->second);
  const Count count = count_slots(pool, group);
  return count.idle + count.soon >= wanted;
}

void go_on_in(Turn& t, Pool& pool) {
  for (const Group& group : groups_of(pool)) {
    if (stands(pool, group)) {
      const Count count = count_slots(pool, group);
      if (count.soon == 0) pool.warm_wanted.erase(group);
      continue;
    }
    if (!may_make(t.host, pool)) continue;
    Slot* slot = slot_to_make(pool, group);
    if (slot == nullptr) continue;
    slot->phase = Phase::making;
    slot->changed = t.host.turn;
    ask(t, JobClass::background, job::MakeSlot{group}, pool.key, {slot->id}, std::nullopt, true);
    return;
  }
}

// What its job left is read, not guessed.
void made_nothing(Turn& t, Pool& pool, Slot& slot) {
  became_fresh(t, pool, slot);
  pool.read_at = t.now.awake;
}

bool acts(const Host& host, const Pool& pool) { return pool.ready() && !pool.removing && !host.draining; }

}  // namespace

void begin_warm(Turn& t, Request& request, Pool& pool) {
  auto& params = std::get<proto::WarmParams>(request.params);
  if (!params.group && pool.config->groups.size() == 1) params.group = pool.config->groups.front();
  if (auto error = check_group(pool, params)) return refuse(t, request.id, std::move(*error));
  const auto result = result_of(pool, params);
  if (result.wanted < params.count) {
    warn(t, request,
         std::to_string(params.count) + " idle slots cannot be had: max_slots of pool '" + pool.key.str() + "' leaves " +
             std::to_string(result.wanted));
  }
  auto& wanted = pool.warm_wanted[params.group];
  wanted = std::max(wanted, params.count);
  pool.make_again.reset();
  if (!params.wait || result.idle >= result.wanted) return answer(t, request.id, result);
  request.stage = Stage::warming;
}

void slot_made(Turn& t, const Job& job, const JobOutcome& outcome) {
  Pool& pool = t.host.pools.at(job.pool);
  Slot& slot = pool.slots.at(job.slots.front());
  if (slot.phase != Phase::making) return;
  const auto* done = std::get_if<JobDone>(&outcome);
  if (const auto* idle = done == nullptr ? nullptr : std::get_if<done::Idle>(done)) return became_idle(t, pool, slot, *idle);
  const auto* told = std::get_if<JobFailed>(&outcome);
  const JobFailed failed =
      told != nullptr ? *told : JobFailed{Fault::host_fault, {ErrorKind::internal, "a slot was made without saying so"}};
  if (consequence(Doing::acquiring, failed.fault) == Consequence::quarantine_slot) {
    quarantine(t, pool, slot, failed.error.message, "making it");
  } else if (failed.halfway) {
    slot.facts = SlotFacts{};
    slot.facts.slot = slot.id;
    slot.of_own = true;
    start_recover(t, pool, slot);
  } else {
    made_nothing(t, pool, slot);
  }
  if (failed.fault == Fault::cancelled) return;
  note(t, 2, slot.id.str() + " of pool '" + pool.key.str() + "' was not made ahead: " + failed.error.message);
  pool.make_again = after(t.now.awake, kMakeAgain);
  pool.warm_wanted.clear();
  refuse_waiters(t, pool, failed.error);
}

void look_after_warm(Turn& t) {
  for (auto& [key, pool] : t.host.pools) {
    if (!acts(t.host, pool)) continue;
    if (pool.make_again && *pool.make_again <= t.now.awake) pool.make_again.reset();
    go_on_in(t, pool);
    answer_waiters(t, pool);
  }
}

void making_gives_way(Turn& t, Pool& pool, const std::optional<std::string>& group) {
  for (auto& [id, slot] : pool.slots) {
    if (slot.phase != Phase::making || slot.group != group) continue;
    if (slot.job) {
      stop_job(t, *slot.job);
      continue;
    }
    for (const auto& [job, each] : t.host.jobs) {
      if (!std::holds_alternative<job::MakeSlot>(each.spec) || each.pool != pool.key || each.slots.front() != id) continue;
      t.unrun.emplace_back(each, JobFailed{Fault::cancelled, {ErrorKind::cancelled, "an acquire came first"}});
      (void)drop_unstarted(t, job);
      break;
    }
  }
}

std::optional<nanoseconds> next_making(const Host& host) {
  std::optional<nanoseconds> first;
  for (const auto& [key, pool] : host.pools) {
    if (!acts(host, pool) || !pool.make_again) continue;
    if (!first || *pool.make_again < *first) first = pool.make_again;
  }
  return first;
}

}  // namespace wtpool::core
