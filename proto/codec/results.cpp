// Tables of what answers and notifications carry, keys in the order in which they are promised.
#include "proto/codec/field.hpp"
#include "proto/codec/tables.hpp"

namespace wtpool::proto {

template <class T>
using Rows = std::vector<Field<T>>;

template <>
const Rows<HelloResult>& fields<HelloResult>() {
  using R = HelloResult;
  static const Rows<R> rows{always<&R::protocol>("protocol", "the version of the protocol that the daemon speaks", kPositive),
                            always<&R::server>("server", "name and version of the daemon"),
                            always<&R::instance_id>("instance_id", "another one after each start of the daemon"),
                            always<&R::features>("features", "what this daemon can do beyond the protocol's first version"),
                            always<&R::limits>("limits", "limit by name, see the protocol")};
  return rows;
}

template <>
const Rows<EmptyResult>& fields<EmptyResult>() {
  static const Rows<EmptyResult> rows;
  return rows;
}

template <>
const Rows<PoolInitResult>& fields<PoolInitResult>() {
  using R = PoolInitResult;
  static const Rows<R> rows{always<&R::pool>("pool", "the pool's key"),
                            always<&R::source>("source", "the repository it serves"),
                            always<&R::root>("root", "the pool's directory")};
  return rows;
}

template <>
const Rows<LeaseInfo>& fields<LeaseInfo>() {
  using R = LeaseInfo;
  static const Rows<R> rows{always<&R::id>("id", "32 hex digits"), always<&R::kind>("kind", "how the lease ends"),
                            always<&R::ttl_seconds>("ttl_seconds", "null = no end"),
                            always_time<&R::expires_at>("expires_at", "null = no end"),
                            always<&R::owner_pid>("owner_pid", "of a process lease, else null")};
  return rows;
}

template <>
const Rows<MergedInfo>& fields<MergedInfo>() {
  using R = MergedInfo;
  static const Rows<R> rows{always<&R::reason>("reason", "the question that said so"),
                            always<&R::target>("target", "full name of the ref that was compared")};
  return rows;
}

template <>
const Rows<GitInfo>& fields<GitInfo>() {
  using R = GitInfo;
  static const Rows<R> rows{always<&R::dirty>("dirty", "tracked files that differ from HEAD"),
                            always<&R::untracked>("untracked", "untracked files that are not ignored"),
                            always<&R::ahead>("ahead", "commits in HEAD that the target has not"),
                            added<&R::behind>("behind", "commits of the target that HEAD has not"),
                            added<&R::merged>("merged", "why nothing of it is lacking in the target; else null"),
                            added<&R::operation>("operation", "merge, rebase, cherry-pick, revert or bisect, half done")};
  return rows;
}

template <>
const Rows<SlotInfo>& fields<SlotInfo>() {
  using R = SlotInfo;
  static const Rows<R> rows{always<&R::pool>("pool", "the pool's key"),
                            always<&R::slot>("slot", "the slot's id"),
                            always<&R::group>("group", "null in a pool without groups"),
                            always<&R::path>("path", "the worktree, an absolute path"),
                            always<&R::state>("state", "fresh: not made yet"),
                            always<&R::name>("name", "NAME of the holder"),
                            always<&R::branch>("branch", "the branch that is checked out"),
                            always<&R::full_sha>("full_sha", "the commit that was acquired, or that an idle slot is at"),
                            always_time<&R::started_at>("started_at", "when the lease began"),
                            always<&R::held_seconds>("held_seconds", "how long it lasts"),
                            always<&R::sealed>("sealed", "idle, proven clean and watched since"),
                            always<&R::reason>("reason", "why it is quarantined"),
                            always<&R::lease>("lease", "null unless acquiring or held"),
                            always<&R::git>("git", "null unless asked for"),
                            added<&R::sessions>("sessions", "how many are attached to the lease")};
  return rows;
}

template <>
const Rows<SweepRow>& fields<SweepRow>() {
  using R = SweepRow;
  static const Rows<R> rows{always<&R::pool>("pool", "the pool's key"),
                            always<&R::slot>("slot", "the slot's id"),
                            always<&R::name>("name", "NAME of the holder"),
                            always<&R::sweep_class>("class", "what is to be done with it"),
                            always<&R::merged>("merged", "why nothing of it is lacking in the target; else null"),
                            always<&R::ahead>("ahead", "commits in HEAD that the target has not"),
                            always<&R::behind>("behind", "commits of the target that HEAD has not"),
                            always<&R::dirty>("dirty", "tracked files that differ from HEAD, submodules included"),
                            always<&R::untracked>("untracked", "files that are new since it was acquired"),
                            always<&R::released>("released", "the lease is over"),
                            always<&R::trash_id>("trash_id", "where work was saved, as far as known by now"),
                            always<&R::reason>("reason", "why, one clause for a person"),
                            always<&R::hint>("hint", "the command that helps")};
  return rows;
}

template <>
const Rows<AttachResult>& fields<AttachResult>() {
  static const Rows<AttachResult> rows{always<&AttachResult::session>("session", "what the pool has set for a session to run")};
  return rows;
}

template <>
const Rows<LocateResult>& fields<LocateResult>() {
  using R = LocateResult;
  static const Rows<R> rows = [] {
    Rows<R> out{always<&R::where>("where", "what the directory is"),
                always<&R::path>("path", "the slot, or the working tree of the source; empty: none"),
                always<&R::source>("source", "the repository that the pool serves"),
                always<&R::pool>("pool", "the pool's key"),
                always<&R::slot>("slot", "the slot's id"),
                always<&R::name>("name", "NAME of the holder"),
                always<&R::branch>("branch", "the branch that was checked out when last seen"),
                always<&R::lease_id>("lease_id", "the lease that holds it"),
                always<&R::base>("base", "the commit at which its branch began"),
                always<&R::target>("target", "what the work of the pool is compared with"),
                always<&R::key>("key", "the idempotency key of the lease")};
    out[0].info.type = FieldType::choice;
    out[0].info.choices = {"slot", "source", "none"};
    return out;
  }();
  return rows;
}

template <>
const Rows<SlotPathResult>& fields<SlotPathResult>() {
  static const Rows<SlotPathResult> rows{always<&SlotPathResult::path>("path", "the worktree, an absolute path")};
  return rows;
}

namespace {

// A row of how the slot came about: all of them are there, or none.
template <auto Member>
Field<AcquireResult> of_creation(std::string_view name, std::string_view meaning) {
  FieldInfo info = info_of<Member>(name, meaning, {});
  info.nullable = Optional<ValueOf<Member>>::value;
  return {std::move(info),
          [](const FieldInfo& self, const Json& value, AcquireResult& into) {
            if (!into.creation) into.creation.emplace();
            (*into.creation).*Member = read_value<typename Optional<ValueOf<Member>>::Inner>(self, value);
          },
          [](const AcquireResult& from) -> Json {
            if constexpr (Optional<ValueOf<Member>>::value) {
              const auto& member = (*from.creation).*Member;
              return member ? write_value(*member) : Json(nullptr);
            } else {
              return write_value((*from.creation).*Member);
            }
          },
          [](const AcquireResult& from) { return !from.creation.has_value(); }};
}

}  // namespace

template <>
const Rows<AcquireResult>& fields<AcquireResult>() {
  using R = AcquireResult;
  static const Rows<R> rows{
      always<&R::pool>("pool", "the pool's key"),
      always<&R::slot>("slot", "the slot's id"),
      always<&R::path>("path", "the worktree, an absolute path"),
      always<&R::name>("name", "NAME as asked for"),
      always<&R::branch>("branch", "the branch that is checked out"),
      always<&R::full_sha>("full_sha", "the commit that is checked out"),
      always<&R::lease_id>("lease_id", "32 hex digits"),
      always<&R::fresh>("fresh", "the slot was made for this"),
      always<&R::reused_commit>("reused_commit", "the slot was at that commit already"),
      always<&R::waited_seconds>("waited_seconds", "time in the queue"),
      always_time<&R::fetched_at>("fetched_at", "of wtpool's own last fetch of the source"),
      optional<&R::port_base>("port_base", "the first port of the lease, when asked for", kPort),
      optional<&R::hooks>("hooks", "there may be some to run first: see hooks.get"),
      optional<&R::missing_deps>("missing_deps", "in a pool with deps: those that could not be had"),
      of_creation<&Creation::created>("created", "snapshot, reflink or checkout; null of a slot that was there"),
      of_creation<&Creation::carried>("carried", "what it got of what git ignores"),
      of_creation<&Creation::left_out>("left_out", "what its template has and it has not"),
      of_creation<&Creation::stale>("stale", "carried paths whose guard is another one now")};
  return rows;
}

template <>
const Rows<ReleaseResult>& fields<ReleaseResult>() {
  using R = ReleaseResult;
  static const Rows<R> rows{always<&R::already>("already", "nothing was held"),
                            always<&R::slot>("slot", "the slot that was released"),
                            always<&R::trash_id>("trash_id", "where work was saved, as far as known by now")};
  return rows;
}

template <>
const Rows<SourceFetchResult>& fields<SourceFetchResult>() {
  static const Rows<SourceFetchResult> rows{
      always_time<&SourceFetchResult::fetched_at>("fetched_at", "of wtpool's own last fetch of the source")};
  return rows;
}

template <>
const Rows<RenewResult>& fields<RenewResult>() {
  static const Rows<RenewResult> rows{always_time<&RenewResult::expires_at>("expires_at", "null = no end")};
  return rows;
}

template <>
const Rows<PoolInfo>& fields<PoolInfo>() {
  using R = PoolInfo;
  static const Rows<R> rows{always<&R::pool>("pool", "the pool's key"),
                            always<&R::source>("source", "the repository it serves"),
                            always<&R::max_slots>("max_slots", "slots of a group at most"),
                            always<&R::groups>("groups", "empty in a pool without groups"),
                            always<&R::available>("available", "its root is there and its lock is ours"),
                            always<&R::slots>("slots", "state to count"),
                            always<&R::url>("url", "of the mirror, else null"),
                            always<&R::managed>("managed", "the source is a mirror that wtpool keeps"),
                            always_time<&R::fetched_at>("fetched_at", "of wtpool's own last fetch of the source")};
  return rows;
}

template <>
const Rows<TrashEntry>& fields<TrashEntry>() {
  using R = TrashEntry;
  static const Rows<R> rows{
      always<&R::id>("id", "what trash.restore takes"),       always<&R::pool>("pool", "the pool's key"),
      always<&R::slot>("slot", "the slot it was saved from"), always<&R::name>("name", "NAME of the use it was saved from"),
      always_time<&R::time>("time", "when it was saved"),     always<&R::refs>("refs", "the refs that hold it"),
      always<&R::files>("files", "how many files"),           always<&R::bytes>("bytes", "how many bytes")};
  return rows;
}

template <>
const Rows<TrashRestoreResult>& fields<TrashRestoreResult>() {
  static const Rows<TrashRestoreResult> rows{always<&TrashRestoreResult::branch>("branch", "the branch that holds it now")};
  return rows;
}

template <>
const Rows<StatusResult>& fields<StatusResult>() {
  using R = StatusResult;
  static const Rows<R> rows{always<&R::pid>("pid", "of the daemon"),
                            always<&R::version>("version", "of the daemon"),
                            always<&R::socket>("socket", "where it listens"),
                            always<&R::root>("root", "the pools root"),
                            always<&R::uptime_seconds>("uptime_seconds", "since it started"),
                            always<&R::pools>("pools", "its pools"),
                            always<&R::clients>("clients", "connections, this one included"),
                            always<&R::queue>("queue", "requests that wait for a slot")};
  return rows;
}

template <>
const Rows<DoctorCheck>& fields<DoctorCheck>() {
  using R = DoctorCheck;
  static const Rows<R> rows = [] {
    Rows<R> out{always<&R::name>("name", "what was checked"), always<&R::status>("status", "how it is"),
                always<&R::detail>("detail", "what was found"), always<&R::hint>("hint", "the command that helps")};
    out[1].info.type = FieldType::choice;
    out[1].info.choices = {"ok", "warn", "error"};
    return out;
  }();
  return rows;
}

template <>
const Rows<DoctorResult>& fields<DoctorResult>() {
  using R = DoctorResult;
  static const Rows<R> rows{always<&R::ok>("ok", "no check is an error"), always<&R::checks>("checks", "one element a check")};
  return rows;
}

// ---- notifications ----

template <>
const Rows<Progress>& fields<Progress>() {
  using R = Progress;
  static const Rows<R> rows{always<&R::request>("request", "the id of the request it is about", kAnyInteger),
                            always<&R::phase>("phase", "resolving, fetching, queued, recycling, checkout and the like"),
                            optional<&R::percent>("percent", "how much of the phase is done", {0, 100}),
                            optional<&R::queue_position>("queue_position", "how many are served before"),
                            optional<&R::message>("message", "one line for a person")};
  return rows;
}

template <>
const Rows<Warning>& fields<Warning>() {
  using R = Warning;
  static const Rows<R> rows{always<&R::request>("request", "the id of the request it is about", kAnyInteger),
                            always<&R::message>("message", "one line for a person")};
  return rows;
}

template <>
const Rows<EventNote>& fields<EventNote>() {
  using R = EventNote;
  static const Rows<R> rows{always<&R::seq>("seq", "rises by one with each event of the host, those of other pools included"),
                            always_time<&R::time>("time", "when it happened"),
                            always<&R::pool>("pool", "the pool's key"),
                            always<&R::slot>("slot", "the slot, where one is concerned"),
                            always<&R::type>("type", "what happened"),
                            always<&R::name>("name", "NAME, where there is one"),
                            always<&R::lease_id>("lease_id", "the lease, where there is one"),
                            optional<&R::message>("message", "one line for a person"),
                            optional<&R::ticket>("ticket", "the place in the queue's own order, in queued and dequeued"),
                            optional<&R::dropped>("dropped", "how many events were lost before this one")};
  return rows;
}

}  // namespace wtpool::proto
