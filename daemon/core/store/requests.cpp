#include "daemon/core/store/requests.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/rules/locate.hpp"
#include "daemon/core/rules/placement.hpp"
#include "daemon/core/state/overloaded.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/store/fillings.hpp"

namespace wtpool::core {
namespace {

// The slot that a path is in.
void find_slot_at(Turn& t, Request& request, const std::string& path) {
  for (auto& [key, pool] : t.host.pools) {
    if (!pool.place || !inside(path, pool.place->root)) continue;
    for (auto& [id, slot] : pool.slots) {
      if (!inside(path, slot_path(pool, id))) continue;
      request.pool = key;
      request.slot = id;
    }
  }
}

// What the caller named, a slot or a NAME, in the one pool or any.
std::optional<Error> find_target(Turn& t, Request& request, const proto::Scope& scope, const std::string& target) {
  for (auto& [key, pool] : t.host.pools) {
    if (scope.pool && key.str() != *scope.pool) continue;
    proto::Target named;
    named.target = target;
    const Found found = locate(pool, named, std::nullopt);
    if (found.slot == nullptr) continue;
    if (!request.slot.str().empty())
      return Error{ErrorKind::pool_ambiguous, "there is a '" + target + "' in several pools",
                   "wtpool store status --pool KEY " + target};
    request.pool = key;
    request.slot = found.slot->id;
  }
  if (request.slot.str().empty()) return Error{ErrorKind::slot_unknown, "there is no slot '" + target + "'"};
  return std::nullopt;
}

std::optional<Error> choose_slot(Turn& t, Request& request) {
  return std::visit(Overloaded{
                        [&](const proto::StorePlaceParams& p) -> std::optional<Error> {
                          find_slot_at(t, request, p.into);
                          return std::nullopt;
                        },
                        [&](const proto::StoreAddParams& p) -> std::optional<Error> {
                          if (p.dep && p.scope.cwd) find_slot_at(t, request, *p.scope.cwd);
                          if (p.dep && request.slot.str().empty())
                            return Error{ErrorKind::slot_unknown, "--dep takes the KEY at a slot's HEAD, and this is no slot"};
                          return std::nullopt;
                        },
                        [&](const proto::StoreStatusParams& p) -> std::optional<Error> {
                          if (p.target) return find_target(t, request, p.scope, *p.target);
                          const auto& at = p.directory ? p.directory : p.scope.cwd;
                          if (at) find_slot_at(t, request, *at);
                          return std::nullopt;
                        },
                        [&](const proto::StoreThawParams& p) -> std::optional<Error> {
                          if (!p.paths.empty()) find_slot_at(t, request, p.paths.front());
                          return std::nullopt;
                        },
                        [&](const proto::StoreFreezeParams& p) -> std::optional<Error> {
                          if (!p.paths.empty()) find_slot_at(t, request, p.paths.front());
                          return std::nullopt;
                        },
                        [](const auto&) -> std::optional<Error> { return std::nullopt; },
                    },
                    request.params);
}

bool changes_slot(const proto::Params& params) {
  return std::holds_alternative<proto::StorePlaceParams>(params) || std::holds_alternative<proto::StoreThawParams>(params) ||
         std::holds_alternative<proto::StoreFreezeParams>(params);
}

// What is put into a slot that nobody holds would be its next holder's surprise.
std::optional<Error> not_held(Turn& t, const Request& request) {
  if (request.slot.str().empty() || !changes_slot(request.params)) return std::nullopt;
  const Slot* slot = find_slot(t, request.pool, request.slot);
  if (slot != nullptr && slot->phase == Phase::held) return std::nullopt;
  return Error{ErrorKind::not_held, "slot " + request.slot.str() + " of pool '" + request.pool.str() + "' is not held",
               "wtpool acquire NAME --pool " + request.pool.str()};
}

void run_task(Turn& t, Request& request) {
  request.stage = Stage::running;
  std::vector<SlotId> slots;
  if (!request.slot.str().empty()) slots.push_back(request.slot);
  const bool collects = std::holds_alternative<proto::StoreGcParams>(request.params);
  request.jobs.insert(ask(t, collects ? JobClass::background : JobClass::answering,
                          job::StoreTask{request.params, request.store_key}, request.pool, std::move(slots), request.id));
}

Error absent(const std::string& key) {
  return {ErrorKind::not_in_store, key + " is not in the store, and nothing was said about where to get it",
          "wtpool store add " + key + " ARCHIVE"};
}

// The client comes back with what its command printed.
bool comes_back(Turn& t, Request& request) {
  const auto* params = std::get_if<proto::StorePlaceParams>(&request.params);
  if (params == nullptr || !params->ticket || !params->archive) return false;
  const Filling* filling = filling_of(t, request.store_key);
  if (filling == nullptr || filling->ticket != *params->ticket || filling->client != request.session) return false;
  fill_from(t, request, request.store_key, *params->archive, true);
  return true;
}

void make_entry(Turn& t, Request& request) {
  const std::string key = request.store_key;
  if (filling_of(t, key) != nullptr) return wait_for_filling(t, request, key);
  if (const auto* add = std::get_if<proto::StoreAddParams>(&request.params))
    return fill_from(t, request, key, add->archive, false);
  const auto& place = std::get<proto::StorePlaceParams>(request.params);
  if (place.frozen_only) return refuse(t, request.id, absent(key));
  if (place.archive && !place.ticket) return fill_from(t, request, key, *place.archive, false);
  if (!place.command) return refuse(t, request.id, absent(key));
  proto::StorePlaceResult result;
  result.key = key;
  result.mode = place.mode.value_or("link");
  result.ticket = fill_by_client(t, request, key);
  result.file = t.host.settings.store + "/tmp/printed-" + *result.ticket;
  answer(t, request.id, std::move(result));
}

void emit_of_store(Turn& t, const Request& request, const std::string& type, const std::string& message) {
  const auto pool = t.host.pools.find(request.pool);
  if (pool != t.host.pools.end()) {
    return emit(t, pool->second, find_slot(t, request.pool, request.slot), type, nullptr, message);
  }
  emit_of_host(t, type, message);
}

}  // namespace

void begin_store(Turn& t, Request& request) {
  if (any_loading(t.host)) return park(request);
  request.slot = SlotId{};
  request.pool = PoolKey{};
  if (auto error = choose_slot(t, request)) return refuse(t, request.id, std::move(*error));
  if (auto error = not_held(t, request)) return refuse(t, request.id, std::move(*error));
  if (const auto* place = std::get_if<proto::StorePlaceParams>(&request.params)) request.store_key = place->key;
  if (const auto* add = std::get_if<proto::StoreAddParams>(&request.params); add != nullptr && !add->dep && add->key != "-")
    request.store_key = add->key;
  if (comes_back(t, request)) return;
  if (!request.store_key.empty() && filling_of(t, request.store_key) != nullptr)
    return wait_for_filling(t, request, request.store_key);
  run_task(t, request);
}

void store_task_ended(Turn& t, const Job& job, const JobOutcome& outcome) {
  Request* request = job.request ? find_request(t, *job.request) : nullptr;
  if (request == nullptr) return;
  request->jobs.erase(job.id);
  if (const auto* failed = std::get_if<JobFailed>(&outcome)) return refuse(t, request->id, failed->error);
  const JobDone& done = std::get<JobDone>(outcome);
  if (t.host.draining && !std::holds_alternative<done::StoreDone>(done)) return refuse(t, request->id, say::shutting_down());
  if (const auto* keyed = std::get_if<done::StoreKeyed>(&done)) {
    request->store_key = keyed->key;
    if (filling_of(t, keyed->key) != nullptr) return wait_for_filling(t, *request, keyed->key);
    return run_task(t, *request);
  }
  if (std::holds_alternative<done::StoreAbsent>(done)) return make_entry(t, *request);
  const auto* finished = std::get_if<done::StoreDone>(&done);
  if (finished == nullptr)
    return refuse(t, request->id, {ErrorKind::internal, "a job ended with a result that is not its own"});
  for (const auto& warning : finished->warnings) warn(t, *request, warning);
  for (const auto& [type, message] : finished->events) emit_of_store(t, *request, type, message);
  answer(t, request->id, finished->result);
}

void store_filled(Turn& t, const Job& job, const job::StoreFill& spec, const JobOutcome& outcome) {
  const Filling* filling = filling_of(t, spec.key);
  if (filling == nullptr || filling->job != job.id) return;
  Request* asker = filling->asker ? find_request(t, *filling->asker) : nullptr;
  const auto* failed = std::get_if<JobFailed>(&outcome);
  if (failed == nullptr) {
    emit_of_host(t, "store_filled", spec.key);
    (void)ask(t, JobClass::background, job::StoreTidy{spec.key}, PoolKey{}, {}, std::nullopt);
  }
  if (asker != nullptr) {
    const RequestId id = asker->id;
    if (std::holds_alternative<proto::AcquireParams>(asker->params)) {
      if (failed != nullptr) {
        asker->unfilled.insert(spec.key);
        warn(t, *asker, spec.key + " could not be made: " + failed->error.message);
      }
      t.host.draining ? refuse(t, id, say::shutting_down()) : t.again.push_back(id);
    } else if (failed != nullptr) {
      refuse(t, id, failed->error);
    } else if (std::holds_alternative<proto::StoreAddParams>(asker->params)) {
      answer(t, id, proto::StoreAddResult{spec.key, true});
    } else if (t.host.draining) {
      refuse(t, id, say::shutting_down());
    } else {
      t.again.push_back(id);
    }
  }
  end_filling(t, spec.key);
}

}  // namespace wtpool::core
