// A request from its arrival to its one answer.
#include "daemon/core/request/dispatch.hpp"

#include <algorithm>
#include <limits>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/lease/acquire.hpp"
#include "daemon/core/lease/attach.hpp"
#include "daemon/core/lease/land.hpp"
#include "daemon/core/lease/release.hpp"
#include "daemon/core/lease/renew.hpp"
#include "daemon/core/pool/choose.hpp"
#include "daemon/core/pool/load.hpp"
#include "daemon/core/request/confirm_resume.hpp"
#include "daemon/core/request/doctor.hpp"
#include "daemon/core/request/hooks.hpp"
#include "daemon/core/request/remove.hpp"
#include "daemon/core/request/repair.hpp"
#include "daemon/core/request/report.hpp"
#include "daemon/core/request/shutdown.hpp"
#include "daemon/core/request/sweep.hpp"
#include "daemon/core/request/template.hpp"
#include "daemon/core/rules/locate.hpp"
#include "daemon/core/source/fetch.hpp"
#include "daemon/core/state/overloaded.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"
#include "daemon/core/store/requests.hpp"

namespace wtpool::core {
namespace {

// Requests of one pool: its scope, or nothing for those that speak of the host, a lease id alone, or every pool.
const proto::Scope* scope_of(const proto::Params& params) {
  return std::visit(
      [](const auto& p) -> const proto::Scope* {
        using P = std::decay_t<decltype(p)>;
        if constexpr (std::is_same_v<P, proto::SlotListParams> || std::is_same_v<P, proto::TrashListParams> ||
                      std::is_same_v<P, proto::TemplateListParams> || std::is_same_v<P, proto::SubscribeParams> ||
                      std::is_same_v<P, proto::SweepParams> || std::is_same_v<P, proto::LocateParams>) {
          return nullptr;
        } else if constexpr (requires { P::kOfStore; }) {
          return nullptr;
        } else if constexpr (requires { p.scope; }) {
          return &p.scope;
        } else {
          return nullptr;
        }
      },
      params);
}

void begin_init(Turn& t, Request& request) {
  if (request.made) {
    const auto pool = t.host.pools.find(PoolKey(request.made->pool));
    if (pool != t.host.pools.end() && pool->second.loading()) return park(request);
    if (pool != t.host.pools.end() && pool->second.unavailable) warn(t, request, pool->second.unavailable->message);
    return answer(t, request.id, *request.made);
  }
  request.stage = Stage::running;
  // One that may have to be fetched first holds no job up that somebody waits for.
  const auto& params = std::get<proto::PoolInitParams>(request.params);
  const auto job_class = params.source.starts_with('/') ? JobClass::answering : JobClass::network;
  request.jobs.insert(ask(t, job_class, job::InitPool{params}, PoolKey{}, {}, request.id));
}

// The pools that a list speaks of. Null: the request was refused, or waits for pools to be loaded.
std::optional<std::vector<PoolKey>> pools_of_list(Turn& t, Request& request, const proto::Scope& scope) {
  std::vector<PoolKey> pools;
  if (any_loading(t.host)) {
    park(request);
    return std::nullopt;
  }
  if (scope.pool) {
    const Choice choice = choose_pool(t, request, scope);
    if (const auto* error = std::get_if<Error>(&choice)) {
      refuse(t, request.id, *error);
      return std::nullopt;
    }
    if (std::holds_alternative<Park>(choice)) {
      park(request);
      return std::nullopt;
    }
    pools.push_back(std::get<PoolKey>(choice));
  } else if (const auto one = infer_pool(t.host, scope); one && t.host.pools.at(*one).ready()) {
    pools.push_back(*one);
  } else {
    for (const auto& [key, pool] : t.host.pools) {
      if (pool.ready()) pools.push_back(key);
    }
  }
  return pools;
}

void begin_trash_list(Turn& t, Request& request) {
  auto pools = pools_of_list(t, request, std::get<proto::TrashListParams>(request.params).scope);
  if (!pools) return;
  request.stage = Stage::running;
  request.jobs.insert(ask(t, JobClass::answering, job::ListTrash{std::move(*pools)}, PoolKey{}, {}, request.id));
}

void begin_pool_list(Turn& t, Request& request, bool status) {
  if (any_loading(t.host)) return park(request);
  std::vector<proto::PoolInfo> pools;
  for (const auto& [key, pool] : t.host.pools) pools.push_back(pool_info(t.host, pool));
  if (!status) return answer(t, request.id, proto::PoolListResult{std::move(pools)});
  proto::StatusResult result;
  result.root = t.host.settings.root;
  result.pools = std::move(pools);
  result.queue = static_cast<std::int64_t>(waiting_count(t.host));
  answer(t, request.id, std::move(result));
}

void begin_in_pool(Turn& t, Request& request, Pool& pool) {
  const auto run = [&](JobSpec spec) {
    request.stage = Stage::running;
    request.jobs.insert(ask(t, JobClass::answering, std::move(spec), pool.key, {}, request.id));
  };
  std::visit(Overloaded{
                 [&](const proto::AcquireParams&) { begin_acquire(t, request, pool); },
                 [&](const proto::ReleaseParams&) { begin_release(t, request, pool); },
                 [&](const proto::SourceFetchParams&) { begin_fetch(t, request, pool); },
                 [&](const proto::RenewParams&) { begin_renew(t, request, pool); },
                 [&](const proto::AttachParams&) { begin_attach(t, request, pool); },
                 [&](const proto::LandParams&) { begin_land(t, request, pool); },
                 [&](const proto::SlotInspectParams&) { begin_inspect(t, request, pool); },
                 [&](const proto::SlotPathParams&) { begin_path(t, request, pool); },
                 [&](const proto::HooksGetParams&) { begin_hooks(t, request, pool); },
                 [&](const proto::SlotRepairParams&) { begin_repair(t, request, pool); },
                 [&](const proto::SlotRemoveParams&) { begin_remove_slot(t, request, pool); },
                 [&](const proto::PoolRemoveParams&) { begin_remove_pool(t, request, pool); },
                 [&](const proto::TrashRestoreParams& p) {
                   run(job::RestoreTrash{pool.key, p.id, p.branch});
                 },
                 [&](const proto::TemplateMakeParams&) { begin_template_make(t, request, pool); },
                 [&](const proto::TemplateDropParams& p) {
                   run(job::DropTemplate{pool.key, p.id});
                 },
                 [&](const proto::TrashDropParams& p) {
                   run(job::DropTrash{pool.key, p.id});
                 },
                 [&](const auto&) {
                   refuse(t, request.id, {ErrorKind::internal, "this request is of no pool"});
                 },
             },
             request.params);
}

// A variable that a script never set names nobody: that nothing is held so would be no answer to what was meant.
std::optional<Error> names_nothing(const proto::Params& params) {
  const auto is_empty = [](const std::optional<std::string>& text) { return text && text->empty(); };
  return std::visit(
      [&](const auto& p) -> std::optional<Error> {
        bool name = false;
        bool lease = false;
        if constexpr (requires { p.target.target; }) {
          name = is_empty(p.target.target) || is_empty(p.target.name) || is_empty(p.target.slot);
          lease = is_empty(p.target.lease_id);
        } else if constexpr (requires { p.slot.empty(); }) {
          name = p.slot.empty();
        }
        if constexpr (std::is_same_v<std::decay_t<decltype(p)>, proto::ReleaseParams>) lease = lease || is_empty(p.lease_id);
        if (name) return say::nothing_named();
        if (lease) return Error{ErrorKind::invalid_params, "lease_id: must not be empty"};
        return std::nullopt;
      },
      params);
}

}  // namespace

void arrive(Turn& t, const event::Request& event) {
  if (t.host.requests.contains(event.id)) return;
  Request& request = t.host.requests[event.id];
  request.id = event.id;
  request.session = event.session;
  request.params = event.params;
  request.lease_id = event.lease_id;
  request.owner = event.owner;
  request.arrived = t.now.awake;
  const auto take_deadline = [&](const std::optional<std::int64_t>& ms) {
    if (!ms) return;
    const auto limit = std::numeric_limits<std::int64_t>::max() / 4'000'000;
    request.deadline = t.now.awake + std::chrono::milliseconds(std::clamp<std::int64_t>(*ms, 0, limit));
  };
  if (const auto* p = std::get_if<proto::AcquireParams>(&event.params)) take_deadline(p->deadline_ms);
  if (const auto* p = std::get_if<proto::ReleaseParams>(&event.params)) take_deadline(p->deadline_ms);
  // What was granted may still be confirmed.
  const bool confirms = std::holds_alternative<proto::ConfirmParams>(event.params) && !t.host.drained;
  if (t.host.draining && !confirms) return refuse(t, event.id, say::shutting_down());
  if (auto error = names_nothing(event.params)) return refuse(t, event.id, std::move(*error));
  begin(t, request);
}

void begin(Turn& t, Request& request) {
  std::optional<proto::Scope> scope;
  if (const auto* s = scope_of(request.params)) scope = *s;
  if (const auto* p = std::get_if<proto::PoolRemoveParams>(&request.params)) scope = proto::Scope{p->pool, std::nullopt};
  if (scope) {
    Choice choice = choose_pool(t, request, *scope);
    if (auto* error = std::get_if<Error>(&choice)) return refuse(t, request.id, std::move(*error));
    if (std::holds_alternative<Park>(choice)) return park(request);
    request.pool = std::get<PoolKey>(choice);
    Pool& pool = t.host.pools.at(request.pool);
    if (pool.bad_config) warn(t, request, *pool.bad_config);
    return begin_in_pool(t, request, pool);
  }
  std::visit(Overloaded{
                 [&](const proto::PoolInitParams&) { begin_init(t, request); },
                 [&](const proto::PoolListParams&) { begin_pool_list(t, request, false); },
                 [&](const proto::HostStatusParams&) { begin_pool_list(t, request, true); },
                 [&](const proto::SlotListParams&) { begin_list(t, request); },
                 [&](const proto::SubscribeParams&) { begin_list(t, request); },
                 [&](const proto::SweepParams&) { begin_sweep(t, request); },
                 [&](const proto::LocateParams&) { begin_locate(t, request); },
                 [&](const proto::TrashListParams&) { begin_trash_list(t, request); },
                 [&](const proto::TemplateListParams& p) {
                   if (auto pools = pools_of_list(t, request, p.scope)) begin_template_list(t, request, std::move(*pools));
                 },
                 [&](const proto::HostDoctorParams&) { any_loading(t.host) ? park(request) : begin_doctor(t, request); },
                 [&](const proto::ConfirmParams&) { begin_confirm(t, request); },
                 [&](const proto::LandTestedParams&) { land_tested(t, request); },
                 [&](const proto::ResumeParams&) { begin_resume(t, request); },
                 [&](const proto::PingParams&) { answer(t, request.id, proto::EmptyResult{}); },
                 [&](const proto::StorePlaceParams&) { begin_store(t, request); },
                 [&](const proto::StoreAddParams&) { begin_store(t, request); },
                 [&](const proto::StoreHasParams&) { begin_store(t, request); },
                 [&](const proto::StoreListParams&) { begin_store(t, request); },
                 [&](const proto::StoreStatusParams&) { begin_store(t, request); },
                 [&](const proto::StoreThawParams&) { begin_store(t, request); },
                 [&](const proto::StoreFreezeParams&) { begin_store(t, request); },
                 [&](const proto::StoreGcParams&) { begin_store(t, request); },
                 [&](const proto::StoreVerifyParams&) { begin_store(t, request); },
                 [&](const proto::StorePathParams&) { answer(t, request.id, proto::SlotPathResult{t.host.settings.store}); },
                 [&](const proto::HostReloadParams&) {
                   for (auto& [key, pool] : t.host.pools) load_pool(t, pool);
                   answer(t, request.id, proto::EmptyResult{});
                 },
                 [&](const proto::HostShutdownParams&) {
                   answer(t, request.id, proto::EmptyResult{});
                   begin_shutdown(t);
                 },
                 [&](const auto&) {
                   refuse(t, request.id, {ErrorKind::unknown_method, "the state of the pools has nothing to say to this"});
                 },
             },
             request.params);
}

}  // namespace wtpool::core
