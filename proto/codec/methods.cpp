// The table of methods and of notifications: which name, which params, which result.
#include "proto/codec/tables.hpp"

namespace wtpool::proto {
namespace {

struct Method {
  std::string_view name;
  std::string_view meaning;
  std::size_t alternative;  // of Params
  Params (*read)(const Json& params);
  std::vector<FieldInfo> (*params)();
  ResultForm form;
  std::string_view schema;
  std::vector<FieldInfo> (*result)();
};

// What a request gives exactly one of, or none.
void check_target(const Target& target) {
  const int given = target.target.has_value() + target.name.has_value() + target.slot.has_value() + target.lease_id.has_value();
  if (given > 1) throw Error(ErrorKind::invalid_params, "give only one of `target`, `name`, `slot` and `lease_id`");
}

template <class P>
Params read_as(const Json& params) {
  P out;
  read_fields(params, out);
  if constexpr (std::is_same_v<P, ReleaseParams>) {
    if (!out.target.target && !out.target.name && !out.target.slot) std::swap(out.lease_id, out.target.lease_id);
  }
  if constexpr (requires { out.target.lease_id; }) check_target(out.target);
  return out;
}

template <class P, class R>
Method method(std::string_view name, std::string_view schema, std::string_view meaning, ResultForm form = ResultForm::object) {
  return {name, meaning, Params(P{}).index(), read_as<P>, describe<P>, form, schema, describe<R>};
}

const std::vector<Method>& methods() {
  static const std::vector<Method> table{
      method<HelloParams, HelloResult>("hello", "HelloResult", "Agree on the protocol; optional before methods that only read"),
      method<PingParams, EmptyResult>("ping", "Empty", "Answer at once"),
      method<DiscoverParams, EmptyResult>("rpc.discover", "OpenRpcDocument", "This document", ResultForm::document),
      method<PoolInitParams, PoolInitResult>("pool.init", "PoolInitResult", "Write a pool's config; makes no slot"),
      method<PoolListParams, PoolInfo>("pool.list", "Pool", "The pools of this host", ResultForm::array),
      method<PoolRemoveParams, EmptyResult>("pool.remove", "Empty", "Take away what acquire and init made; refused while held"),
      method<SourceFetchParams, SourceFetchResult>("source.fetch", "SourceFetchResult",
                                                   "Fetch the source of a pool from its remote"),
      method<AcquireParams, AcquireResult>("slot.acquire", "AcquireResult", "Lease a slot at a commit, on branch NAME"),
      method<ConfirmParams, EmptyResult>("slot.confirm", "Empty", "Keep a lease that was asked for with `confirm`"),
      method<ReleaseParams, ReleaseResult>("slot.release", "ReleaseResult", "End a lease, work saved first"),
      method<LandParams, LandResult>("slot.land", "LandResult", "Bring the slot's commits onto a branch, in order and tested"),
      method<LandTestedParams, EmptyResult>("land.tested", "Empty", "What the test of a candidate came to"),
      method<RenewParams, RenewResult>("slot.renew", "RenewResult", "A TTL starts again"),
      method<ResumeParams, EmptyResult>("slot.resume", "Empty", "Take a connection lease over after the daemon was restarted"),
      method<SlotListParams, SlotInfo>("slot.list", "Slot", "The slots of a pool", ResultForm::array),
      method<SlotInspectParams, SlotInfo>("slot.inspect", "Slot", "One slot"),
      method<SlotPathParams, SlotPathResult>("slot.path", "SlotPathResult", "Where a held slot is"),
      method<SlotRepairParams, EmptyResult>("slot.repair", "Empty", "Take a slot out of quarantine: save, verify, recycle"),
      method<SlotRemoveParams, EmptyResult>("slot.remove", "Empty", "Take one slot away; refused while held"),
      method<TrashListParams, TrashEntry>("trash.list", "TrashEntry", "Work that releases and resets kept", ResultForm::array),
      method<TrashRestoreParams, TrashRestoreResult>("trash.restore", "TrashRestoreResult", "Bring an entry back as a branch"),
      method<TrashDropParams, EmptyResult>("trash.drop", "Empty", "Forget an entry"),
      method<TemplateMakeParams, TemplateInfo>("template.make", "Template",
                                               "Freeze a slot: new ones of its group begin as it stands"),
      method<TemplateListParams, TemplateInfo>("template.list", "Template", "The templates of a pool", ResultForm::array),
      method<TemplateDropParams, EmptyResult>("template.drop", "Empty", "Use a template no more; it goes when nobody needs it"),
      method<SubscribeParams, SlotInfo>("events.subscribe", "Slot", "The slots as they are now, then an `event` a change",
                                        ResultForm::array),
      method<StorePlaceParams, StorePlaceResult>("store.place", "StorePlaceResult",
                                                 "Put an entry of the store into a directory"),
      method<StoreAddParams, StoreAddResult>("store.add", "StoreAddResult", "Make an entry from an archive or a directory"),
      method<StoreHasParams, EmptyResult>("store.has", "Empty", "Are they all in the store?"),
      method<StoreListParams, StoreEntryInfo>("store.list", "StoreEntry", "The entries of the store", ResultForm::array),
      method<StoreStatusParams, StoreStatusResult>("store.status", "StoreStatusResult",
                                                   "What is grafted into a slot or directory"),
      method<StoreThawParams, EmptyResult>("store.thaw", "Empty", "Make writable copies of grafts"),
      method<StoreFreezeParams, EmptyResult>("store.freeze", "Empty", "Make grafts of writable copies again"),
      method<StoreGcParams, StoreGcResult>("store.gc", "StoreGcResult", "Remove entries that nobody uses"),
      method<StoreVerifyParams, EmptyResult>("store.verify", "Empty", "Compare entries with their listings"),
      method<StorePathParams, SlotPathResult>("store.path", "SlotPathResult", "Where the store is"),
      method<HostStatusParams, StatusResult>("host.status", "StatusResult", "The daemon"),
      method<HostDoctorParams, DoctorResult>("host.doctor", "DoctorResult", "Checks of this host"),
      method<HostReloadParams, EmptyResult>("host.reload", "Empty", "Read the configuration again"),
      method<AttachParams, AttachResult>("slot.attach", "AttachResult",
                                         "Be a session of a durable lease as long as this connection lasts"),
      method<LocateParams, LocateResult>("scope.locate", "LocateResult", "What a directory is: a slot, a source, or none"),
      method<HooksGetParams, HooksResult>("hooks.get", "HooksResult",
                                          "The hooks of a pool and of its repository; clients run them"),
      method<SweepParams, SweepRow>("slot.sweep", "SweepRow", "Release the leases whose work is finished", ResultForm::array),
      method<HostShutdownParams, EmptyResult>("host.shutdown", "Empty", "Stop the daemon; leases stay as they are"),
  };
  return table;
}

template <class... P>
std::vector<std::string_view> names_by_alternative(std::variant<P...>*) {
  std::vector<std::string_view> out(sizeof...(P));
  for (const Method& one : methods()) out[one.alternative] = one.name;
  return out;
}

// Texts become paths and arguments of commands, which end at a NUL. NAME has a check, and an error, of its own.
void refuse_nul(const Json& params) {
  const auto has_nul = [](const Json& value) {
    return value.is_string() && value.get_ref<const std::string&>().find('\0') != std::string::npos;
  };
  for (const auto& [key, value] : params.items()) {
    if (key != "name" && (has_nul(value) || (value.is_array() && std::any_of(value.begin(), value.end(), has_nul)))) {
      throw Error(ErrorKind::invalid_params, "`" + key + "` takes no NUL character");
    }
  }
}

template <class R>
Json write_list(const std::vector<R>& list) {
  return write_value(list);
}

struct ResultWriter {
  template <class R>
  Json operator()(const R& result) const {
    return write_fields(result);
  }
  Json operator()(const DiscoverResult&) const { return Json::parse(openrpc_document(), nullptr, false); }
  Json operator()(const SlotListResult& result) const { return write_list(result.slots); }
  Json operator()(const PoolListResult& result) const { return write_list(result.pools); }
  Json operator()(const TemplateListResult& result) const { return write_list(result.templates); }
  Json operator()(const TrashListResult& result) const { return write_list(result.entries); }
  Json operator()(const StoreListResult& result) const { return write_list(result.entries); }
  Json operator()(const SweepResult& result) const { return write_list(result.rows); }
};

constexpr std::string_view kProgress = "progress";
constexpr std::string_view kWarning = "warning";
constexpr std::string_view kEvent = "event";
constexpr std::string_view kCandidate = "candidate";

template <class N>
N read_note(const Json& params) {
  N out;
  read_fields(params, out);
  return out;
}

}  // namespace

std::string_view method_of(const Params& params) {
  static const auto names = names_by_alternative(static_cast<Params*>(nullptr));
  return names[params.index()];
}

Params read_params(std::string_view method, const Json& params) {
  const auto found = std::ranges::find(methods(), method, &Method::name);
  if (found == methods().end()) throw Error(ErrorKind::unknown_method, "there is no method `" + std::string(method) + "`");
  if (params.is_null()) return found->read(Json::object());
  if (!params.is_object()) throw Error(ErrorKind::invalid_params, "`params` takes an object: parameters go by name");
  refuse_nul(params);
  return found->read(params);
}

Json write_params(const Params& params) {
  return std::visit([](const auto& some) { return write_fields(some); }, params);
}

Json write_result(const Result& result) { return std::visit(ResultWriter{}, result); }

Notification read_notification(std::string_view method, const Json& params) {
  if (!params.is_object()) throw Error(ErrorKind::invalid_request, "the params of a notification take an object");
  if (method == kProgress) return read_note<Progress>(params);
  if (method == kWarning) return read_note<Warning>(params);
  if (method == kEvent) return read_note<EventNote>(params);
  if (method == kCandidate) return read_note<CandidateNote>(params);
  throw Error(ErrorKind::unknown_method, "there is no notification `" + std::string(method) + "`");
}

std::pair<std::string_view, Json> write_notification(const Notification& note) {
  constexpr std::array kNames{kProgress, kWarning, kEvent, kCandidate};
  static_assert(kNames.size() == std::variant_size_v<Notification>);
  return {kNames.at(note.index()), std::visit([](const auto& some) { return write_fields(some); }, note)};
}

std::vector<MethodInfo> describe_methods() {
  std::vector<MethodInfo> out;
  for (const Method& one : methods()) {
    out.push_back({one.name, one.meaning, one.params(), one.form, one.schema, one.result()});
  }
  return out;
}

std::vector<NotificationInfo> describe_notifications() {
  const FieldInfo id{.name = "id", .type = FieldType::id, .required = true, .meaning = "the id of the request to cancel"};
  return {{kCancelMethod, "Cancel a request; it still gets its one answer", true, {id}},
          {kProgress, "How far a request is that asked for it", false, describe<Progress>()},
          {kWarning, "What a person should know of a request that goes on", false, describe<Warning>()},
          {kEvent, "A change, after events.subscribe", false, describe<EventNote>()},
          {kCandidate, "The commit that a landing wants tested", false, describe<CandidateNote>()}};
}

std::vector<FieldInfo> describe_error_data() { return describe<Error>(); }

}  // namespace wtpool::proto
