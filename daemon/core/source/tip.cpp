// Where a pool's default commit stands, and the first-parent line behind it: which slot is nearest to a commit, and which idle
// slots are brought along when the tip moves. All of it is a convenience: nobody ever waits for it.
#include "daemon/core/source/tip.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/rules/consequences.hpp"
#include "daemon/core/slot/seal.hpp"
#include "daemon/core/slot/upkeep.hpp"
#include "daemon/core/state/turn.hpp"

namespace wtpool::core {
namespace {

bool follows(const Host& host, const Pool& pool) {
  return host.settings.tip_every.count() > 0 && !host.draining && pool.ready() && !pool.removing && !pool.tip.job;
}

bool any_idle(const Pool& pool) {
  return std::any_of(pool.slots.begin(), pool.slots.end(), [](const auto& entry) { return entry.second.phase == Phase::idle; });
}

// A slot that stands at an earlier tip. One at another commit is somebody's, who comes back for it.
bool is_behind(const Pool& pool, const Slot& slot) {
  return slot.phase == Phase::idle && slot.sealed && !slot.job && slot.at && !pool.tip.at.empty() && *slot.at != pool.tip.at &&
         slot.kept_back_from != pool.tip.at && pool.tip.line.contains(*slot.at);
}

// One that is about to take every slot that is nobody's.
bool heal_waits(const Host& host, const Pool& pool) {
  return std::any_of(host.jobs.begin(), host.jobs.end(), [&](const auto& entry) {
    const Job& job = entry.second;
    return std::holds_alternative<job::Heal>(job.spec) && job.pool == pool.key && !job.started;
  });
}

// Another job is about to take it: somebody has it repaired, say.
bool is_awaited(const Host& host, const Pool& pool, const Slot& slot) {
  return std::any_of(host.jobs.begin(), host.jobs.end(), [&](const auto& entry) {
    const Job& job = entry.second;
    return !job.started && job.pool == pool.key && std::find(job.slots.begin(), job.slots.end(), slot.id) != job.slots.end();
  });
}

bool advancing_runs(const Host& host) {
  return std::any_of(host.jobs.begin(), host.jobs.end(),
                     [](const auto& entry) { return std::holds_alternative<job::Advance>(entry.second.spec); });
}

}  // namespace

void tip_may_have_moved(Turn& t, Pool& pool) { pool.tip.look_at = t.now.awake; }

void tip_seen(Turn& t, const Job& job, const JobOutcome& outcome) {
  const auto found = t.host.pools.find(job.pool);
  if (found == t.host.pools.end() || found->second.tip.job != job.id) return;
  Tip& tip = found->second.tip;
  tip.job.reset();
  tip.look_at = after(t.now.awake, t.host.settings.tip_every);
  const auto* done = std::get_if<JobDone>(&outcome);
  const auto* seen = done == nullptr ? nullptr : std::get_if<done::TipSeen>(done);
  if (seen == nullptr || seen->tip == tip.at) return;
  tip.at = seen->tip;
  tip.line.clear();
  std::size_t place = 0;
  for (const Oid& commit : seen->line) tip.line.emplace(commit, place++);
}

void advance_ended(Turn& t, const Job& job, const JobOutcome& outcome) {
  Pool& pool = t.host.pools.at(job.pool);
  Slot& slot = pool.slots.at(job.slots.front());
  slot.kept_back_from = std::get<job::Advance>(job.spec).to;  // once a tip, whatever came of it
  if (const auto* failed = std::get_if<JobFailed>(&outcome)) {
    slot.at.reset();
    slot.tree = Oid{};
    if (slot.phase != Phase::idle) return;
    slot.seal_at = after(t.now.awake, t.host.settings.seal_quiet);
    note(t, 1, slot.id.str() + " of pool '" + pool.key.str() + "' was not brought to the tip: " + failed->error.message);
    if (consequence(Doing::tending, failed->fault) == Consequence::quarantine_slot) {
      quarantine(t, pool, slot, failed->error.message, "bringing it to the tip");
    }
    return;
  }
  const auto* done = std::get_if<done::Idle>(&std::get<JobDone>(outcome));
  if (done == nullptr) {
    // Left as it was, or nobody knows: whoever gets it looks.
    slot.at.reset();
    slot.tree = Oid{};
    if (slot.phase == Phase::idle) slot.seal_at = after(t.now.awake, t.host.settings.seal_quiet);
    return;
  }
  slot.at = done->at;
  slot.tree = done->tree;
  slot.seal_at = t.now.awake;
}

void look_after_tips(Turn& t) {
  for (auto& [key, pool] : t.host.pools) {
    if (!follows(t.host, pool) || !pool.tip.look_at || *pool.tip.look_at > t.now.awake || !any_idle(pool)) continue;
    pool.tip.job = ask(t, JobClass::background, job::LookAtTip{key, pool.tip.at}, key);
  }
  // Only what starts in this very turn: until then the slot keeps its seal, and is anybody's.
  if (!t.host.settings.follow_tip || t.host.draining || advancing_runs(t.host) ||
      !may_start_now(t.host, JobClass::background)) {
    return;
  }
  for (auto& [key, pool] : t.host.pools) {
    // Work that somebody waits for comes first.
    if (!pool.ready() || pool.removing || !pool.queue.empty() || !pool.waiting.empty() || heal_waits(t.host, pool)) continue;
    Slot* latest = nullptr;
    for (auto& [id, slot] : pool.slots) {
      const bool later = latest == nullptr || slot.last_used > latest->last_used;
      if (later && is_behind(pool, slot) && !is_awaited(t.host, pool, slot)) latest = &slot;
    }
    if (latest == nullptr) continue;
    unseal(t, pool, *latest, std::nullopt);  // the job takes the seal
    ask(t, JobClass::background, job::Advance{pool.tip.at}, key, {latest->id});
    return;
  }
}

std::optional<nanoseconds> next_look_at_tip(const Host& host) {
  std::optional<nanoseconds> first;
  for (const auto& [key, pool] : host.pools) {
    if (!follows(host, pool) || !pool.tip.look_at || !any_idle(pool)) continue;
    if (!first || *pool.tip.look_at < *first) first = pool.tip.look_at;
  }
  return first;
}

}  // namespace wtpool::core
