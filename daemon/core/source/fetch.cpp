// Names to commits: Resolve jobs, and the one fetch a source that everyone who needs it joins.
#include "daemon/core/source/fetch.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/source/tip.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"

namespace wtpool::core {
namespace {

constexpr int kFetchesPerRequest = 2;

std::optional<Oid> full_id(const std::optional<std::string>& commit) {
  if (!commit || (commit->size() != 40 && commit->size() != 64)) return std::nullopt;
  const bool hex =
      std::all_of(commit->begin(), commit->end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return hex ? std::optional(Oid(*commit)) : std::nullopt;
}

}  // namespace

void resolve(Turn& t, Request& request, Pool& pool) {
  const auto& params = std::get<proto::AcquireParams>(request.params);
  request.stage = Stage::resolving;
  proto::Progress progress;
  progress.phase = "resolving";
  tell(t, request, progress);
  job::Resolve spec{
      request.id,   pool.key, params.commit.value_or(pool.config->default_commit), params.name, request.acquire.last_try,
      params.resume};
  const JobId job = ask(t, JobClass::answering, std::move(spec), pool.key, {}, request.id);
  t.host.jobs.at(job).deadline = request.deadline;
  request.jobs.insert(job);
}

void join_fetch(Turn& t, Request& request, Pool& pool) {
  const auto& params = std::get<proto::AcquireParams>(request.params);
  Source& source = t.host.sources[pool.place->source];
  const std::optional<Oid> wanted = full_id(params.commit);
  request.stage = Stage::fetching;
  proto::Progress progress;
  progress.phase = "fetching";
  tell(t, request, progress);
  ++request.acquire.fetches;
  const bool joins = source.fetch.has_value();
  // A fetch that was asked for something else may not bring an id that no ref names.
  request.acquire.last_try =
      !joins || !wanted || source.fetch_wanted == wanted || request.acquire.fetches >= kFetchesPerRequest;
  source.fetch_joined.push_back(request.id);
  if (joins) return;
  source.fetch_wanted = wanted;
  source.fetch = ask(t, JobClass::network, job::Fetch{pool.key, pool.place->source, wanted}, pool.key);
}

void fetch_ended(Turn& t, const Job& job, const std::optional<Error>& error) {
  const SourceId id = std::get<job::Fetch>(job.spec).source;
  Source& source = t.host.sources[id];
  if (source.fetch != job.id) return;
  source.fetch.reset();
  source.fetch_wanted.reset();
  if (!error) source.last_fetch = t.now.awake;
  const auto found = t.host.pools.find(job.pool);
  if (found != t.host.pools.end() && !error) emit(t, found->second, nullptr, "fetched");
  for (auto& [key, pool] : t.host.pools) {
    if (pool.place && pool.place->source == id) tip_may_have_moved(t, pool);
  }

  std::vector<RequestId> joined;
  joined.swap(source.fetch_joined);
  for (const RequestId each : joined) {
    Request* request = find_request(t, each);
    if (request == nullptr) continue;
    if (!t.host.pools.contains(request->pool)) {
      refuse(t, each, say::pool_unknown(t.host, request->pool));
      continue;
    }
    Pool& pool = t.host.pools.at(request->pool);
    if (!pool.ready()) {
      refuse(t, each, pool.unavailable.value_or(say::pool_unavailable(pool.key, "its directory is not there")));
      continue;
    }
    if (error) {
      if (t.host.draining) {
        refuse(t, each, say::shutting_down());
        continue;
      }
      if (pool.config->fetch.when == FetchPolicy::When::on_miss) {
        refuse(t, each, say::fetch_failed(pool, std::get<proto::AcquireParams>(request->params).commit, *error));
        continue;
      }
      request->acquire.fetch_error = error;
      request->acquire.last_try = true;
      warn(t, *request, "the source could not be fetched, what it has already is used: " + error->message);
    }
    resolve(t, *request, pool);
  }
}

}  // namespace wtpool::core
