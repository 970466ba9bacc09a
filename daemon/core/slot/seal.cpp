// Sealing: which idle slot is proven and watched next, and what ends a seal. A seal is worth having and never needed: whatever
// else wants the slot goes first.
#include "daemon/core/slot/seal.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/rules/consequences.hpp"
#include "daemon/core/slot/upkeep.hpp"
#include "daemon/core/state/turn.hpp"

namespace wtpool::core {
namespace {

constexpr seconds kLimitAgain{300};
constexpr seconds kCancelledAgain{1};

bool wants_seal(const Slot& slot) { return slot.phase == Phase::idle && !slot.sealed && slot.seal_at; }

// Work that somebody waits for comes first.
bool seals_in(const Host& host, const Pool& pool) {
  return host.settings.seal_watches > 0 && !host.draining && pool.ready() && !pool.removing && pool.queue.empty() &&
         pool.waiting.empty();
}

bool sealing_runs(const Host& host) {
  return std::any_of(host.jobs.begin(), host.jobs.end(),
                     [](const auto& entry) { return std::holds_alternative<job::Seal>(entry.second.spec); });
}

// Anything that somebody waits for, or that clears up after him: sealing takes a processor from it.
bool others_work(const Host& host) {
  return std::any_of(host.jobs.begin(), host.jobs.end(), [](const auto& entry) {
    const JobClass of = entry.second.job_class;
    return of == JobClass::answering || of == JobClass::recycling;
  });
}

struct Watched {
  std::size_t slots = 0;
  std::size_t watches = 0;
};
Watched watched(const Host& host) {
  Watched sum;
  for (const auto& [key, pool] : host.pools) {
    for (const auto& [id, slot] : pool.slots) {
      if (!slot.sealed) continue;
      ++sum.slots;
      sum.watches += slot.watches;
    }
  }
  return sum;
}

// Of those that wait for a seal now.
std::optional<std::pair<Pool*, Slot*>> most_recently_used(Turn& t) {
  std::optional<std::pair<Pool*, Slot*>> best;
  for (auto& [key, pool] : t.host.pools) {
    if (!seals_in(t.host, pool)) continue;
    for (auto& [id, slot] : pool.slots) {
      if (!wants_seal(slot) || slot.job || *slot.seal_at > t.now.awake) continue;
      if (!best || slot.last_used > best->second->last_used) best = {&pool, &slot};
    }
  }
  return best;
}

// The sealed slot that was not used for longest gives its watches to one that was used after it.
bool make_room(Turn& t, const Slot& for_slot) {
  Pool* of = nullptr;
  Slot* oldest = nullptr;
  for (auto& [key, pool] : t.host.pools) {
    for (auto& [id, slot] : pool.slots) {
      if (!slot.sealed || slot.last_used >= for_slot.last_used) continue;
      if (oldest != nullptr && oldest->last_used <= slot.last_used) continue;
      of = &pool;
      oldest = &slot;
    }
  }
  if (oldest == nullptr) return false;
  unseal(t, *of, *oldest, after(t.now.awake, kLimitAgain));
  t.answers.push_back(effect::DropSeal{of->key, oldest->id});
  return true;
}

}  // namespace

void unseal(Turn& t, Pool& pool, Slot& slot, std::optional<nanoseconds> again) {
  if (slot.sealed) emit(t, pool, &slot, "unsealed");
  slot.sealed = false;
  slot.watches = 0;
  slot.seal_at = again;
}

void tree_stirred(Turn& t, const event::Unsealed& event) {
  Slot* slot = find_slot(t, event.pool, event.slot);
  if (slot == nullptr) return;
  slot->stirred = true;  // of a seal that its job has not reported yet, perhaps
  if (slot->sealed) unseal(t, t.host.pools.at(event.pool), *slot, after(t.now.awake, t.host.settings.seal_quiet));
}

void seal_ended(Turn& t, const Job& job, const JobOutcome& outcome) {
  Pool& pool = t.host.pools.at(job.pool);
  Slot& slot = pool.slots.at(job.slots.front());
  const nanoseconds quiet = after(t.now.awake, t.host.settings.seal_quiet);
  const JobDone* done = std::get_if<JobDone>(&outcome);
  const auto* sealed = done == nullptr ? nullptr : std::get_if<done::Sealed>(done);
  if (slot.phase != Phase::idle) {
    if (sealed != nullptr) t.answers.push_back(effect::DropSeal{pool.key, slot.id});
    return;
  }
  if (sealed != nullptr) {
    if (slot.stirred) {
      slot.seal_at = quiet;
      return;
    }
    slot.sealed = true;
    slot.at = sealed->at;
    slot.tree = sealed->tree;
    slot.occupied = false;
    slot.watches = sealed->watches;
    slot.seal_at.reset();
    emit(t, pool, &slot, "sealed");
    return;
  }
  if (const auto* refused = done == nullptr ? nullptr : std::get_if<done::NotSealed>(done)) {
    note(t, 0, slot.id.str() + " of pool '" + pool.key.str() + "' is not sealed: " + refused->text);
    switch (refused->why) {
      case done::NotSealed::Why::busy:
      case done::NotSealed::Why::dirty:
        slot.seal_at = quiet;
        return;
      case done::NotSealed::Why::limit:
        slot.seal_at = make_room(t, slot) ? t.now.awake : after(t.now.awake, kLimitAgain);
        return;
      case done::NotSealed::Why::unsupported:
        slot.seal_at.reset();  // until it was used again
        return;
    }
  }
  const auto* failed = std::get_if<JobFailed>(&outcome);
  const bool cancelled = failed != nullptr && failed->fault == Fault::cancelled;
  if (failed != nullptr && !cancelled) {
    note(t, 0, slot.id.str() + " of pool '" + pool.key.str() + "' is not sealed: " + failed->error.message);
  }
  if (failed != nullptr && consequence(Doing::tending, failed->fault) == Consequence::quarantine_slot) {
    quarantine(t, pool, slot, failed->error.message, "sealing it");
    return;
  }
  slot.seal_at = cancelled ? after(t.now.awake, kCancelledAgain) : quiet;
}

void look_after_seals(Turn& t) {
  for (auto& [key, pool] : t.host.pools) {
    for (auto& [id, slot] : pool.slots) {
      if (!slot.sealed || slot.phase == Phase::idle) continue;
      unseal(t, pool, slot, std::nullopt);
      t.answers.push_back(effect::DropSeal{key, id});
    }
  }
  if (sealing_runs(t.host) || others_work(t.host)) return;
  const Settings& settings = t.host.settings;
  while (const auto next = most_recently_used(t)) {
    auto& [pool, slot] = *next;
    const auto full = [&](const Watched& sum) {
      return sum.slots >= settings.seal_slots || sum.watches >= settings.seal_watches;
    };
    if (full(watched(t.host))) (void)make_room(t, *slot);
    const Watched sum = watched(t.host);
    if (full(sum)) {
      slot->seal_at = after(t.now.awake, kLimitAgain);
      continue;
    }
    slot->stirred = false;
    ask(t, JobClass::background, job::Seal{settings.seal_watches - sum.watches}, pool->key, {slot->id});
    return;
  }
}

std::optional<nanoseconds> next_sealing(const Host& host) {
  if (sealing_runs(host) || others_work(host)) return std::nullopt;  // the end of the last one is looked at
  std::optional<nanoseconds> first;
  for (const auto& [key, pool] : host.pools) {
    if (!seals_in(host, pool)) continue;
    for (const auto& [id, slot] : pool.slots) {
      if (wants_seal(slot) && !slot.job && (!first || *slot.seal_at < *first)) first = slot.seal_at;
    }
  }
  return first;
}

}  // namespace wtpool::core
