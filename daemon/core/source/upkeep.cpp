#include "daemon/core/source/upkeep.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"

namespace wtpool::core {
namespace {

// What brings new refs or objects. Looking at a source is no reason to tidy it up.
bool changes_source(const JobSpec& spec) {
  return std::holds_alternative<job::Fetch>(spec) || std::holds_alternative<job::Acquire>(spec) ||
         std::holds_alternative<job::Release>(spec) || std::holds_alternative<job::Recycle>(spec) ||
         std::holds_alternative<job::Recover>(spec) || std::holds_alternative<job::RemoveSlot>(spec);
}

bool any_job(const Host& host, const SourceId& source, const auto& matches) {
  return std::ranges::any_of(host.jobs, [&](const auto& each) { return each.second.source == source && matches(each.second); });
}

const Pool* pool_of_mirror(const Host& host, const SourceId& source) {
  const auto found = std::ranges::find_if(host.pools, [&](const auto& each) {
    const Pool& pool = each.second;
    return pool.ready() && !pool.removing && pool.place->source == source && pool.place->url;
  });
  return found == host.pools.end() ? nullptr : &found->second;
}

}  // namespace

void look_after_mirrors(Turn& t) {
  if (t.host.draining) return;
  for (const auto& [id, job] : t.host.jobs) {
    if (changes_source(job.spec)) t.host.sources.try_emplace(job.source);  // its first job may not have started yet
  }
  for (auto& [id, source] : t.host.sources) {
    const bool busy = any_job(t.host, id, [](const Job& job) { return changes_source(job.spec); });
    if (busy) {
      source.untidy = true;
      source.quiet_since.reset();
    } else if (source.untidy && !source.quiet_since) {
      source.quiet_since = t.now.awake;
    }
    // Whoever makes a slot, or takes one away, does not wait for it.
    if (source.tending && any_job(t.host, id, [](const Job& job) { return job.wants_writer && !job.started; })) {
      stop_job(t, *source.tending);
    }
    if (source.tending || !source.quiet_since || t.now.awake < after(*source.quiet_since, t.host.settings.mirror_quiet))
      continue;
    const Pool* pool = pool_of_mirror(t.host, id);
    source.quiet_since.reset();
    source.untidy = false;
    if (pool == nullptr) continue;
    source.tending = ask(t, JobClass::background, job::TendMirror{pool->key}, pool->key, {}, std::nullopt, true);
  }
}

void tend_ended(Turn& t, const Job& job, const std::optional<Error>& error) {
  const auto source = t.host.sources.find(job.source);
  if (source == t.host.sources.end() || source->second.tending != job.id) return;
  source->second.tending.reset();
  if (!error) return;
  if (error->kind == ErrorKind::cancelled) source->second.untidy = true;  // it gave way
  note(t, error->kind == ErrorKind::cancelled ? 0 : 2,
       "the mirror " + job.source.str() + " was not tidied up: " + error->message);
}

std::optional<nanoseconds> next_tending(const Host& host) {
  std::optional<nanoseconds> next;
  if (host.draining) return next;
  for (const auto& [id, source] : host.sources) {
    if (source.tending || !source.quiet_since) continue;
    const nanoseconds at = after(*source.quiet_since, host.settings.mirror_quiet);
    if (!next || at < *next) next = at;
  }
  return next;
}

}  // namespace wtpool::core
