// Who may run: one job a slot, one writer a source, a limit a class. Jobs wait here until all they need is free, so that none
// ever waits for a lock.
#include "daemon/core/job/grants.hpp"

#include <algorithm>

#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"

namespace wtpool::core {
namespace {

std::size_t limit_of(const Settings& settings, JobClass job_class) {
  switch (job_class) {
    case JobClass::answering:
      return std::max<std::size_t>(2, settings.answering_limit);
    case JobClass::recycling:
      return std::max<std::size_t>(1, settings.recycling_limit);
    case JobClass::background:
      return std::max<std::size_t>(1, settings.background_limit);
    case JobClass::network:
      return std::max<std::size_t>(1, settings.network_limit);
    case JobClass::ending:
      return std::max<std::size_t>(1, settings.ending_limit);
  }
  return 1;
}

// Those are all to be looked at: one that is only being read is waited for.
bool heal_must_wait(const Turn& t, const Job& job) {
  const auto pool = t.host.pools.find(job.pool);
  return pool != t.host.pools.end() && std::any_of(pool->second.slots.begin(), pool->second.slots.end(), [](const auto& entry) {
           return entry.second.job && can_be_healed(entry.second);
         });
}

bool may_start(Turn& t, const Job& job) {
  if (std::holds_alternative<job::Heal>(job.spec) && heal_must_wait(t, job)) return false;
  for (const SlotId& id : job.slots) {
    const Slot* slot = find_slot(t, job.pool, id);
    if (slot != nullptr && slot->job) return false;
  }
  return !job.wants_writer || !t.host.sources[job.source].writer;
}

// A steady slot that no job has, or waits for by its phase.
bool can_be_read(const Slot& slot) {
  return !slot.job && slot.ending == Ending::none &&
         (slot.phase == Phase::idle || slot.phase == Phase::held || slot.phase == Phase::fresh);
}

void start(Turn& t, Job& job) {
  if (auto* read = std::get_if<job::ReadBack>(&job.spec); read != nullptr && job.slots.empty()) {
    for (const auto& [id, slot] : t.host.pools.at(job.pool).slots) {
      if (can_be_read(slot)) job.slots.push_back(id);
    }
    read->slots = job.slots;
  }
  if (auto* heal = std::get_if<job::Heal>(&job.spec)) {
    for (const auto& [id, slot] : t.host.pools.at(job.pool).slots) {
      if (can_be_healed(slot)) job.slots.push_back(id);
    }
    heal->slots = job.slots;
  }
  const bool of_many = std::holds_alternative<job::ReadBack>(job.spec) || std::holds_alternative<job::Heal>(job.spec);
  job.started = true;
  job.turn = t.host.turn;
  Grant grant;
  grant.job = job.id;
  grant.pool = job.pool;
  grant.source = job.source;
  for (const SlotId& id : job.slots) {
    if (Slot* slot = find_slot(t, job.pool, id)) {
      slot->job = job.id;
      if (job.slots.size() == 1 && !of_many) grant.git_id = slot->git_id;
    }
  }
  if (job.slots.size() == 1 && !of_many) grant.slot = job.slots.front();
  if (job.wants_writer) {
    job.has_writer = true;
    t.host.sources[job.source].writer = job.id;
    grant.source_writer = true;
  }
  ++t.host.running[static_cast<std::size_t>(job.job_class)];
  t.answers.push_back(effect::StartJob{grant, job.job_class, job.spec, job.deadline});
}

// The lease that a marker was to be written for may be over by the time its slot is free; what only idle slots get may find it
// taken.
bool outdated(Turn& t, const Job& job) {
  // A slot that was taken out of the pool meanwhile; one of its id may be there again before the job has ended.
  if (std::holds_alternative<job::ReadBack>(job.spec) && !job.slots.empty())
    return find_slot(t, job.pool, job.slots.front()) == nullptr;
  if (std::holds_alternative<job::Quarantine>(job.spec)) {
    // Somebody put the slot right before its quarantine was written down; it may have another holder by now.
    const Slot* slot = find_slot(t, job.pool, job.slots.front());
    return slot == nullptr || !may_record_quarantine(slot->phase);
  }
  if (const auto* land = std::get_if<job::MoveLanding>(&job.spec)) {
    const Slot* slot = find_slot(t, job.pool, job.slots.front());
    return slot == nullptr || slot->phase != Phase::held || !slot->lease || slot->lease->id != land->landing.lease.id;
  }
  if (const auto* make = std::get_if<job::MakeTemplate>(&job.spec)) {
    const Slot* slot = find_slot(t, job.pool, job.slots.front());
    if (slot == nullptr) return true;
    if (!make->lease) return slot->phase != Phase::idle;
    return slot->phase != Phase::held || !slot->lease || slot->lease->id != make->lease->id;
  }
  const auto* rewrite = std::get_if<job::RewriteMarker>(&job.spec);
  const bool tends = std::holds_alternative<job::Seal>(job.spec) || std::holds_alternative<job::Advance>(job.spec);
  if (rewrite == nullptr && !tends) return false;
  const Slot* slot = find_slot(t, job.pool, job.slots.front());
  if (tends) return slot == nullptr || slot->phase != Phase::idle;
  return slot == nullptr || slot->phase != Phase::held || !slot->lease || slot->lease->id != rewrite->marker.lease.id;
}

}  // namespace

JobId ask(Turn& t, JobClass job_class, JobSpec spec, const PoolKey& pool, std::vector<SlotId> slots,
          std::optional<RequestId> request, bool writer) {
  if (!std::holds_alternative<job::Seal>(spec)) seal_gives_way(t, pool, slots);
  const JobId id(t.host.next_job++);
  Job& job = t.host.jobs[id];
  job.id = id;
  job.job_class = job_class;
  job.spec = std::move(spec);
  job.pool = pool;
  job.slots = std::move(slots);
  const auto place = t.host.pools.find(pool);
  if (place != t.host.pools.end() && place->second.place) job.source = place->second.place->source;
  job.wants_writer = writer;
  job.request = request;
  t.host.unstarted[static_cast<std::size_t>(job_class)].insert(id);
  return id;
}

bool may_start_now(const Host& host, JobClass job_class) {
  const auto index = static_cast<std::size_t>(job_class);
  return host.unstarted[index].empty() && host.running[index] < limit_of(host.settings, job_class);
}

void pump(Turn& t) {
  for (const JobClass job_class :
       {JobClass::answering, JobClass::recycling, JobClass::background, JobClass::network, JobClass::ending}) {
    const auto index = static_cast<std::size_t>(job_class);
    const std::size_t limit = limit_of(t.host.settings, job_class);
    auto& waiting = t.host.unstarted[index];
    for (auto each = waiting.begin(); each != waiting.end() && t.host.running[index] < limit;) {
      const JobId id = *each;
      if (!may_start(t, t.host.jobs.at(id))) {
        ++each;
        continue;
      }
      each = waiting.erase(each);
      if (outdated(t, t.host.jobs.at(id))) {
        const Job job = t.host.jobs.at(id);
        t.host.jobs.erase(id);
        if (std::holds_alternative<job::RewriteMarker>(job.spec))
          t.unrun.emplace_back(
              job, JobFailed{Fault::cancelled, say::lease_lost("cannot write the marker of " + job.slots.front().str())});
        if (const auto* land = std::get_if<job::MoveLanding>(&job.spec))
          t.unrun.emplace_back(job, JobFailed{Fault::cancelled, say::lease_lost("cannot land " + land->landing.lease.name)});
        if (std::holds_alternative<job::MakeTemplate>(job.spec))
          t.unrun.emplace_back(
              job, JobFailed{Fault::cancelled,
                             {ErrorKind::contended, "cannot freeze " + job.slots.front().str() + ": it was taken"}});
        if (std::holds_alternative<job::ReadBack>(job.spec))
          t.unrun.emplace_back(job,
                               JobFailed{Fault::cancelled, {ErrorKind::slot_unknown, job.slots.front().str() + " is gone"}});
        continue;
      }
      start(t, t.host.jobs.at(id));
    }
  }
}

void stop_job(Turn& t, JobId id) {
  const auto found = t.host.jobs.find(id);
  if (found == t.host.jobs.end() || !found->second.started || found->second.stopping) return;
  found->second.stopping = true;
  t.answers.push_back(effect::StopJob{id});
}

bool drop_unstarted(Turn& t, JobId id) {
  const auto found = t.host.jobs.find(id);
  if (found == t.host.jobs.end() || found->second.started) return false;
  t.host.unstarted[static_cast<std::size_t>(found->second.job_class)].erase(id);
  t.host.jobs.erase(found);
  return true;
}

// Whatever else is asked for on a slot does not wait for its sealing.
void seal_gives_way(Turn& t, const PoolKey& pool, const std::vector<SlotId>& slots) {
  if (slots.empty()) return;
  std::vector<JobId> sealing;
  for (const auto& [id, job] : t.host.jobs) {
    if (!std::holds_alternative<job::Seal>(job.spec) || job.pool != pool) continue;
    if (std::find(slots.begin(), slots.end(), job.slots.front()) != slots.end()) sealing.push_back(id);
  }
  for (const JobId id : sealing) {
    if (!drop_unstarted(t, id)) stop_job(t, id);
  }
}

void give_writer_back(Turn& t, Job& job) {
  if (!job.has_writer) return;
  job.has_writer = false;
  Source& source = t.host.sources[job.source];
  if (source.writer == job.id) source.writer.reset();
}

}  // namespace wtpool::core
