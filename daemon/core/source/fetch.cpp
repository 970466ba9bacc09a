// Names to commits: Resolve jobs, and the fetches of a source, one at a time, that those who need them wait for.
#include "daemon/core/source/fetch.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/source/tip.hpp"
#include "daemon/core/state/sentences.hpp"

namespace wtpool::core {
namespace {

constexpr std::size_t kRemembered = 1000;  // commits whose last fetch is known; past it all are forgotten

bool is_full_id(const std::string& commit) {
  return (commit.size() == 40 || commit.size() == 64) &&
         std::ranges::all_of(commit, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string commit_of(const Request& request, const Pool& pool) {
  return std::get<proto::AcquireParams>(request.params).commit.value_or(pool.config->default_commit);
}

// Of the last good fetch that could have brought this commit: when it began.
std::optional<nanoseconds> last_news(const Source& source, const std::string& commit) {
  const auto found = source.last_of.find(commit);
  if (found == source.last_of.end()) return source.last_all;
  return source.last_all ? std::max(*source.last_all, found->second) : found->second;
}

void remember(Source& source, const Wants& wants, std::int64_t wall) {
  if (wants.all) source.last_all = source.fetch_began;
  if (source.last_of.size() > kRemembered) source.last_of.clear();
  for (const std::string& commit : wants.commits) source.last_of[commit] = source.fetch_began;
  source.fetched_at = wall;
}

// The fetch is over for this one: it gets its commit, or is told why not.
void served(Turn& t, RequestId id, const std::optional<Error>& error) {
  Request* request = find_request(t, id);
  if (request == nullptr) return;
  const auto found = t.host.pools.find(request->pool);
  if (found == t.host.pools.end()) return refuse(t, id, say::pool_unknown(t.host, request->pool));
  Pool& pool = found->second;
  if (!pool.ready()) {
    return refuse(t, id, pool.unavailable.value_or(say::pool_unavailable(pool.key, "its directory is not there")));
  }
  if (std::holds_alternative<proto::SourceFetchParams>(request->params)) {
    if (error) return refuse(t, id, *error);
    return answer(t, id, proto::SourceFetchResult{t.host.sources[pool.place->source].fetched_at});
  }
  request->acquire.last_try = true;
  if (error) {
    if (t.host.draining) return refuse(t, id, say::shutting_down());
    const auto& params = std::get<proto::AcquireParams>(request->params);
    if (pool.config->fetch.when == FetchPolicy::When::on_miss && !params.fetch) {
      return refuse(t, id, say::fetch_failed(pool, params.commit, *error));
    }
    request->acquire.fetch_error = error;
    warn(t, *request, "the source could not be fetched, what it has already is used: " + error->message);
  }
  resolve(t, *request, pool);
}

// The job needs a pool for its settings: one of those that wait, else any of the source.
const Pool* pool_to_fetch_for(const Turn& t, const Source& source) {
  for (const RequestId id : source.line.waiting()) {
    const auto request = t.host.requests.find(id);
    if (request == t.host.requests.end()) continue;
    const auto pool = t.host.pools.find(request->second.pool);
    if (pool != t.host.pools.end() && pool->second.ready()) return &pool->second;
  }
  for (const auto& [key, pool] : t.host.pools) {
    if (pool.ready() && pool.place->source == source.id) return &pool;
  }
  return nullptr;
}

// When all branches of the pool's source are due.
std::optional<nanoseconds> all_due(const Host& host, const Pool& pool) {
  if (!pool.ready() || pool.removing || !pool.config->fetch_interval) return std::nullopt;
  const auto source = host.sources.find(pool.place->source);
  if (source == host.sources.end() || !source->second.tried_all) return nanoseconds(0);
  return after(*source->second.tried_all, *pool.config->fetch_interval);
}

void start_fetch(Turn& t, Source& source, const Pool& pool) {
  source.fetch_began = t.now.awake;
  job::Fetch spec{pool.key, source.id, source.line.start()};
  if (spec.wants.all) source.tried_all = t.now.awake;
  source.fetch = ask(t, JobClass::network, std::move(spec), pool.key);
}

// Those who want an id look first whether it is there by now. False: this one cannot.
bool look_for_id(Turn& t, RequestId id) {
  Request* request = find_request(t, id);
  if (request == nullptr || t.host.draining) return false;
  const auto pool = t.host.pools.find(request->pool);
  if (pool == t.host.pools.end() || !pool->second.ready()) return false;
  request->acquire.looking = true;
  resolve(t, *request, pool->second);
  return true;
}

}  // namespace

void resolve(Turn& t, Request& request, Pool& pool) {
  const auto& params = std::get<proto::AcquireParams>(request.params);
  request.stage = Stage::resolving;
  proto::Progress progress;
  progress.phase = "resolving";
  tell(t, request, progress);
  job::Resolve spec{request.id, pool.key, commit_of(request, pool), params.name, request.acquire.last_try};
  const JobId job = ask(t, JobClass::answering, std::move(spec), pool.key, {}, request.id);
  t.host.jobs.at(job).deadline = request.deadline;
  request.jobs.insert(job);
}

bool needs_news(Turn& t, const Request& request, const Pool& pool) {
  const FetchPolicy& fetch = pool.config->fetch;
  if (std::get<proto::AcquireParams>(request.params).fetch || fetch.when == FetchPolicy::When::always) return true;
  if (fetch.when != FetchPolicy::When::older_than) return false;
  const auto last = last_news(t.host.sources[pool.place->source], commit_of(request, pool));
  return !last || t.now.awake > after(*last, fetch.age);
}

void join_fetch(Turn& t, Request& request, Pool& pool) {
  Source& source = t.host.sources[pool.place->source];
  source.id = pool.place->source;
  request.stage = Stage::fetching;
  proto::Progress progress;
  progress.phase = "fetching";
  tell(t, request, progress);
  const std::string commit = commit_of(request, pool);
  source.line.ask(request.id, Wants{{commit}, false}, is_full_id(commit));
}

void begin_fetch(Turn& t, Request& request, Pool& pool) {
  const auto& params = std::get<proto::SourceFetchParams>(request.params);
  Source& source = t.host.sources[pool.place->source];
  source.id = pool.place->source;
  request.stage = Stage::fetching;
  source.line.ask(request.id, Wants{{params.commits.begin(), params.commits.end()}, params.commits.empty()}, false);
}

void leave_fetch(Turn& t, RequestId id) {
  for (auto& [key, source] : t.host.sources) source.line.leave(id);
}

void fetch_ended(Turn& t, const Job& job, const std::optional<Error>& error) {
  const auto& spec = std::get<job::Fetch>(job.spec);
  Source& source = t.host.sources[spec.source];
  if (source.fetch != job.id) return;
  source.fetch.reset();
  if (!error) remember(source, spec.wants, t.now.wall);
  const auto found = t.host.pools.find(job.pool);
  if (found != t.host.pools.end() && !error) emit(t, found->second, nullptr, "fetched");
  for (auto& [key, pool] : t.host.pools) {
    if (pool.place && pool.place->source == spec.source) tip_may_have_moved(t, pool);
  }
  if (error && source.line.served_by_running().empty()) {
    note(t, 2, "the source " + spec.source.str() + " could not be fetched: " + error->message);
  }
  const FetchLine::Ended over = source.line.ended(error.has_value());
  for (const RequestId id : over.look) {
    if (!look_for_id(t, id)) source.line.looked(id, false);
  }
  for (const RequestId id : over.served) served(t, id, error);
}

bool looked_for_id(Turn& t, Request& request, const done::Resolved* found) {
  if (!request.acquire.looking) return false;
  request.acquire.looking = false;
  const bool there = found != nullptr && found->commit;
  for (auto& [key, source] : t.host.sources) source.line.looked(request.id, there);
  if (!there) request.stage = Stage::fetching;
  return !there;
}

void look_after_fetches(Turn& t) {
  if (t.host.draining) return;
  for (const auto& [key, pool] : t.host.pools) {
    const auto at = all_due(t.host, pool);
    if (!at || *at > t.now.awake) continue;
    Source& source = t.host.sources[pool.place->source];
    source.id = pool.place->source;
    if (!source.line.runs()) source.line.ask_for_all();
  }
  for (auto& [id, source] : t.host.sources) {
    if (!source.line.may_start()) continue;
    if (const Pool* pool = pool_to_fetch_for(t, source)) {
      start_fetch(t, source, *pool);
      continue;
    }
    // Nobody serves the source any more: who waits is told so.
    (void)source.line.start();
    for (const RequestId each : source.line.ended(true).served) served(t, each, std::nullopt);
  }
}

std::optional<nanoseconds> next_fetch_due(const Host& host) {
  std::optional<nanoseconds> next;
  if (host.draining) return next;
  for (const auto& [key, pool] : host.pools) {
    const auto at = all_due(host, pool);
    if (!at) continue;
    const auto source = host.sources.find(pool.place->source);
    if (source != host.sources.end() && source->second.line.runs()) continue;
    if (!next || *at < *next) next = at;
  }
  return next;
}

}  // namespace wtpool::core
