// Which pools there are, and their loading.
#include "daemon/core/pool/load.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/lease/queue.hpp"
#include "daemon/core/rules/consequences.hpp"
#include "daemon/core/slot/apply_facts.hpp"
#include "daemon/core/source/tip.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"

namespace wtpool::core {
namespace {

constexpr std::chrono::milliseconds kLockAgain{200};
constexpr seconds kFirstExpiry{60};

// Nobody waits for slots of a pool that is away.
void refuse_waiting(Turn& t, Pool& pool, const Error& error) {
  std::vector<RequestId> waiting = pool.queue;
  waiting.insert(waiting.end(), pool.waiting.begin(), pool.waiting.end());
  for (const RequestId id : waiting) {
    leave_queue(t, *find_request(t, id));
    refuse(t, id, error);
  }
}

void went_away(Turn& t, Pool& pool) {
  if (!pool.present) return;
  pool.present = false;
  note(t, 2,
       "pool '" + pool.key.str() +
           "' is away: its .meta/config.yaml is not there, or its directory is on another device than before");
  refuse_waiting(
      t, pool,
      say::pool_unavailable(pool.key, "its .meta/config.yaml is not there, or its directory is on another device than before"));
}

bool somebody_parked(const Host& host) {
  return std::any_of(host.requests.begin(), host.requests.end(),
                     [](const auto& entry) { return entry.second.stage == Stage::parked; });
}

void became_unavailable(Turn& t, Pool& pool, Error error) {
  error.pool = pool.key.str();
  // Whoever needs it tries again, many times perhaps: that is said once.
  if (!pool.unavailable || pool.unavailable->message != error.message) {
    note(t, 3, "pool '" + pool.key.str() + "' cannot be loaded: " + error.message);
  }
  pool.lock_ends.reset();
  refuse_waiting(t, pool, error);
  pool.unavailable = std::move(error);
}

}  // namespace

void pools_seen(Turn& t, const event::PoolsSeen& event) {
  if (t.host.draining) return;
  std::set<PoolKey> seen;
  for (const auto& each : event.pools) {
    seen.insert(each.key);
    auto [place, is_new] = t.host.pools.try_emplace(each.key);
    Pool& pool = place->second;
    if (is_new) {
      pool.key = each.key;
      pool.fingerprint = each.fingerprint;
      load_pool(t, pool);
      continue;
    }
    if (pool.place && pool.place->device != each.device) {
      went_away(t, pool);
      continue;
    }
    // A pool that init just made has no fingerprint yet, and may have been edited since: it is read again.
    const bool changed = pool.fingerprint != each.fingerprint;
    const bool back = !pool.present;
    pool.present = true;
    pool.fingerprint = each.fingerprint;
    if (changed || back) load_pool(t, pool);
  }
  for (auto place = t.host.pools.begin(); place != t.host.pools.end();) {
    Pool& pool = place->second;
    if (seen.contains(pool.key) || pool.removing) {
      ++place;
    } else if (pool.place) {
      went_away(t, pool);
      ++place;
    } else if (!pool.loading()) {
      place = t.host.pools.erase(place);
    } else {
      ++place;
    }
  }
}

void load_pool(Turn& t, Pool& pool) {
  pool.load_retry.reset();
  if (t.host.draining) return;
  if (pool.load) {
    pool.load_again = true;
    return;
  }
  pool.load = ask(t, JobClass::answering, job::LoadPool{pool.key}, pool.key);
}

void load_failed(Turn& t, Pool& pool, const JobFailed& failed) {
  pool.load.reset();
  if (std::exchange(pool.load_again, false)) return load_pool(t, pool);
  if (t.host.draining) {
    if (!pool.ready()) pool.unavailable = say::shutting_down();
    return;
  }
  if (consequence(Doing::loading, failed.fault) == Consequence::wait_for_lock) {
    if (!pool.lock_ends) pool.lock_ends = after(t.now.awake, t.host.settings.lock_patience);
    pool.lock_waited = pool.lock_waited || t.now.awake >= *pool.lock_ends;
    if (!pool.lock_waited && somebody_parked(t.host)) {
      pool.load_retry = t.now.awake + kLockAgain;
      return;
    }
    Error error = say::pool_unavailable(pool.key, failed.error.message);
    error.hint = failed.error.hint;
    became_unavailable(t, pool, std::move(error));
  } else if (failed.error.kind == ErrorKind::bad_config && pool.config && pool.place) {
    pool.unavailable.reset();
    pool.bad_config = failed.error.message + " (the last good config is used)";
    note(t, 2, *pool.bad_config);
  } else {
    became_unavailable(t, pool, failed.error);
  }
  pool.unsettled = true;
  wake_parked(t);
}

void pool_loaded(Turn& t, Pool& pool, const done::LoadedPool& loaded, std::uint64_t read_at) {
  pool.load.reset();
  pool.lock_ends.reset();
  pool.lock_waited = false;
  pool.unavailable.reset();
  pool.bad_config.reset();
  const bool first = !pool.place;
  pool.config = loaded.config;
  pool.place = loaded.place;
  Source& source = t.host.sources[loaded.place.source];
  source.id = loaded.place.source;
  if (loaded.fetched_at) source.fetched_at = std::max(source.fetched_at.value_or(0), *loaded.fetched_at);
  std::set<SlotId> known;
  for (const auto& [id, slot] : pool.slots) known.insert(id);
  ensure_slots(pool);
  for (const SlotFacts& facts : loaded.slots) {
    const auto parts = parse_slot_id(facts.slot.str());
    if (!parts) continue;
    auto [place, is_new] = pool.slots.try_emplace(facts.slot);
    Slot& slot = place->second;
    if (is_new) {
      slot.id = facts.slot;
      slot.group = parts->group;
      slot.number = parts->number;
    }
    if (slot.changed <= read_at && !slot.job) apply_facts(t, pool, facts, first || !known.contains(facts.slot));
  }
  for (const auto& warning : loaded.warnings) note(t, 2, "pool '" + pool.key.str() + "': " + warning);
  tip_may_have_moved(t, pool);
  if (loaded.landings_cut_off && !t.host.draining) ask(t, JobClass::background, job::RecoverLandings{pool.key}, pool.key);
  if (!pool.next_expiry) pool.next_expiry = after(t.now.awake, kFirstExpiry);
  pool.unsettled = true;
  if (std::exchange(pool.load_again, false)) load_pool(t, pool);
  wake_parked(t);
}

void wake_parked(Turn& t) {
  for (const auto& [id, request] : t.host.requests) {
    if (request.stage == Stage::parked) t.again.push_back(id);
  }
}

// Every slot that the config allows is there, made or not; those it does not allow any more stay while there is something of
// them on disk.
void ensure_slots(Pool& pool) {
  std::vector<std::optional<std::string>> groups(pool.config->groups.begin(), pool.config->groups.end());
  if (groups.empty()) groups.emplace_back();
  for (const auto& group : groups) {
    for (int number = 0; number < pool.config->max_slots; ++number) {
      auto [place, is_new] = pool.slots.try_emplace(slot_id(group, number));
      if (!is_new) continue;
      place->second.id = place->first;
      place->second.group = group;
      place->second.number = number;
    }
  }
  std::erase_if(pool.slots, [&](const auto& entry) {
    const Slot& slot = entry.second;
    const bool allowed =
        slot.number < pool.config->max_slots && std::find(groups.begin(), groups.end(), slot.group) != groups.end();
    return !allowed && slot.phase == Phase::fresh && !slot.job;
  });
}

void start_read_back(Turn& t, Pool& pool) {
  if (!pool.read_at || *pool.read_at > t.now.awake || pool.read_back || !pool.ready() || pool.removing || t.host.draining)
    return;
  pool.read_at.reset();
  pool.read_back = ask(t, JobClass::background, job::ReadBack{pool.key, {}}, pool.key);  // the slots: when it starts
}

}  // namespace wtpool::core
