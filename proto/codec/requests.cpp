// Tables of what requests carry.
#include "proto/codec/field.hpp"
#include "proto/codec/with_scope.hpp"

namespace wtpool::proto {
namespace {

template <class T>
const Rows<T>& no_rows() {
  static const Rows<T> rows;
  return rows;
}

template <class T>
Rows<T> with_target(Rows<T> rows) {
  Rows<T> out{optional<&T::target, &Target::target>("target", "NAME or SLOT, as a person typed it"),
              optional<&T::target, &Target::name>("name", "the NAME that the slot was acquired as"),
              optional<&T::target, &Target::slot>("slot", "the slot's id")};
  if constexpr (!std::is_same_v<T, ReleaseParams>) {
    out.push_back(optional<&T::target, &Target::lease_id>("lease_id", "the lease that holds the slot"));
  }
  out.insert(out.end(), rows.begin(), rows.end());
  return with_scope<T>(std::move(out));
}

}  // namespace

template <>
const Rows<HelloParams>& fields<HelloParams>() {
  using P = HelloParams;
  static const Rows<P> rows{
      required<&P::protocol>("protocol", "the version of the protocol that the client speaks", kPositive),
      required<&P::client>("client", "name and version of the client"),
      optional<&P::root>("root", "the client's WORKTREE_ROOT, absolute; refused when the daemon has another")};
  return rows;
}

template <>
const Rows<PoolInitParams>& fields<PoolInitParams>() {
  using P = PoolInitParams;
  static const Rows<P> rows{
      optional<&P::pool>("pool", "the key of the pool to make; default: the repository's name"),
      required<&P::source>("source", "the repository, an absolute path or a URL"),
      optional<&P::max_slots>("max_slots", "slots of a group at most", {1, 10'000}),
      optional<&P::groups>("groups", "names of the groups"),
      optional<&P::default_commit>("default_commit", "what an acquire without a commit takes"),
      optional<&P::submodule_mirror_mode>("submodule_mirror_mode", "bare-mirror or git-modules; with the base"),
      optional<&P::submodule_mirror_base>("submodule_mirror_base", "where the mirrors of submodules are"),
      optional<&P::reference>("reference", "with a URL: a clone on this host whose objects need not be transferred"),
      optional<&P::progress>("progress", "send progress notifications")};
  return rows;
}

template <>
const Rows<PoolRemoveParams>& fields<PoolRemoveParams>() {
  static const Rows<PoolRemoveParams> rows{required<&PoolRemoveParams::pool>("pool", "the key of the pool to remove")};
  return rows;
}

template <>
const Rows<AcquireParams>& fields<AcquireParams>() {
  using P = AcquireParams;
  static const Rows<P> rows = with_scope<P>(
      {required<&P::name>("name", "NAME of the use and of its branch"),
       optional<&P::commit>("commit", "what to check out; default: the pool's default_commit"),
       optional<&P::group>("group", "the group to take a slot of"),
       optional<&P::unique_sha>("unique_sha", "refuse, or wait, while a held slot is at that commit"),
       optional<&P::resume>("resume", "check an existing branch NAME out at its own tip"),
       optional<&P::replace>("replace", "make an existing branch NAME anew; its tip goes to the trash"),
       optional<&P::exclude_submodule_tags>("exclude_submodule_tags", "leave submodules with one of these tags out"),
       optional<&P::wait_ms>("wait_ms", "queue for so many milliseconds; 0 = without an end", kMilliseconds),
       optional<&P::ttl_seconds>("ttl_seconds", "the lease ends after that", kSeconds),
       optional<&P::owner_pid>("owner_pid", "the process whose end ends the lease", kPositive),
       optional<&P::lease_kind>("lease_kind", "how the lease ends; default: durable"),
       optional<&P::key>("key", "the caller's idempotency key: the same request again gives the same lease"),
       optional<&P::confirm>("confirm", "roll back unless slot.confirm follows on this connection"),
       optional<&P::deadline_ms>("deadline_ms", "give up after so many milliseconds, queue and git included", kMilliseconds),
       optional<&P::progress>("progress", "send progress notifications"),
       optional<&P::verify>("verify", "have git look at the tree, whatever is known of it"),
       optional<&P::ports>("ports", "set a range of ports apart for the lease"),
       optional<&P::frozen_only>("frozen_only", "every dep of the pool must be in the store"),
       optional<&P::fetch>("fetch", "fetch the source first, whatever the pool's config says"),
       optional<&P::reuse>("reuse", "a NAME that is held gives its lease back, a branch that exists is resumed"),
       optional<&P::restock>("restock", "replace stale carried paths by the template's"),
       optional<&P::slot>("slot", "this slot and no other"),
       optional<&P::prepares>("prepares", "refuse where no slot of the pool can be frozen")});
  return rows;
}

template <>
const Rows<ConfirmParams>& fields<ConfirmParams>() {
  using P = ConfirmParams;
  static const Rows<P> rows{
      required<&P::lease_id>("lease_id", "the lease to keep"),
      optional<&P::process_group>("process_group", "what runs under the lease, and is ended with it", kProcess)};
  return rows;
}

template <>
const Rows<ReleaseParams>& fields<ReleaseParams>() {
  using P = ReleaseParams;
  static const Rows<P> rows = [] {
    auto lease = optional<&P::lease_id>("lease_id", "the lease to end; beside name, slot or target: the one that must hold it");
    lease.write = [](const P& from) -> Json { return from.lease_id ? *from.lease_id : *from.target.lease_id; };
    lease.unset = [](const P& from) { return !from.lease_id && !from.target.lease_id; };
    return with_target<P>(
        {std::move(lease),
         optional<&P::held_by>("held_by", "the caller's own lease: once it is over, another one is not ended in its place"),
         optional<&P::dirty>("dirty", "what to do about dirt; default: the pool's on_dirty"),
         optional<&P::delete_remote>("delete_remote", "delete the branch in its remote too, in the background"),
         optional<&P::keep_branch>("keep_branch", "leave the branch at its tip"),
         optional<&P::wait>("wait", "answer when the slot is idle again"),
         optional<&P::deadline_ms>("deadline_ms", "give up after so many milliseconds", kMilliseconds),
         optional<&P::progress>("progress", "send progress notifications"),
         optional<&P::caller_pids>("caller_pids", "the client and its ancestors, never reported as left in the slot",
                                   kPositive)});
  }();
  return rows;
}

template <>
const Rows<SourceFetchParams>& fields<SourceFetchParams>() {
  using P = SourceFetchParams;
  static const Rows<P> rows =
      with_scope<P>({optional<&P::commits>("commits", "ids, branches, tags, full names of refs; default: every branch")});
  return rows;
}

template <>
const Rows<RenewParams>& fields<RenewParams>() {
  using P = RenewParams;
  static const Rows<P> rows = with_target<P>(
      {optional<&P::held_by>("held_by", "the caller's own lease: once it is over, another one is not renewed in its place"),
       optional<&P::ttl_seconds>("ttl_seconds", "the new TTL; default: the lease's own starts again", kSeconds)});
  return rows;
}

template <>
const Rows<ResumeParams>& fields<ResumeParams>() {
  using P = ResumeParams;
  static const Rows<P> rows{
      required<&P::lease_id>("lease_id", "the connection lease that this connection holds from now on"),
      optional<&P::process_group>("process_group", "what runs under the lease, and is ended with it", kProcess)};
  return rows;
}

template <>
const Rows<SlotListParams>& fields<SlotListParams>() {
  static const Rows<SlotListParams> rows = with_scope<SlotListParams>(
      {optional<&SlotListParams::git_status>("git_status", "look into each slot with git and fill `git`")});
  return rows;
}

template <>
const Rows<SlotInspectParams>& fields<SlotInspectParams>() {
  static const Rows<SlotInspectParams> rows = with_target<SlotInspectParams>({});
  return rows;
}

template <>
const Rows<SlotPathParams>& fields<SlotPathParams>() {
  static const Rows<SlotPathParams> rows = with_target<SlotPathParams>({});
  return rows;
}

template <>
const Rows<AttachParams>& fields<AttachParams>() {
  static const Rows<AttachParams> rows = with_target<AttachParams>(
      {optional<&AttachParams::keep>("keep", "the lease stays when the last session has ended, finished or not")});
  return rows;
}

template <>
const Rows<LocateParams>& fields<LocateParams>() {
  static const Rows<LocateParams> rows = with_target<LocateParams>({});
  return rows;
}

template <>
const Rows<SweepParams>& fields<SweepParams>() {
  using P = SweepParams;
  static const Rows<P> rows =
      with_scope<P>({optional<&P::names>("names", "leases to look at, by NAME or slot; default: all durable ones"),
                     optional<&P::min_age_seconds>(
                         "min_age_seconds", "how long a lease without commits is kept; default: a day", {0, kSeconds.maximum}),
                     optional<&P::dry_run>("dry_run", "say what would be done, and do nothing")});
  return rows;
}

template <>
const Rows<SlotRepairParams>& fields<SlotRepairParams>() {
  static const Rows<SlotRepairParams> rows =
      with_scope<SlotRepairParams>({required<&SlotRepairParams::slot>("slot", "the slot to take out of quarantine"),
                                    optional<&SlotRepairParams::discard>("discard", "drop what cannot be saved")});
  return rows;
}

template <>
const Rows<SlotRemoveParams>& fields<SlotRemoveParams>() {
  static const Rows<SlotRemoveParams> rows =
      with_scope<SlotRemoveParams>({required<&SlotRemoveParams::slot>("slot", "the slot to take away")});
  return rows;
}

template <>
const Rows<TrashListParams>& fields<TrashListParams>() {
  static const Rows<TrashListParams> rows = with_scope<TrashListParams>({});
  return rows;
}

template <>
const Rows<TrashRestoreParams>& fields<TrashRestoreParams>() {
  static const Rows<TrashRestoreParams> rows =
      with_scope<TrashRestoreParams>({required<&TrashRestoreParams::id>("id", "the entry of the trash"),
                                      optional<&TrashRestoreParams::branch>("branch", "the branch to make of it")});
  return rows;
}

template <>
const Rows<TrashDropParams>& fields<TrashDropParams>() {
  static const Rows<TrashDropParams> rows =
      with_scope<TrashDropParams>({required<&TrashDropParams::id>("id", "the entry of the trash")});
  return rows;
}

template <>
const Rows<SubscribeParams>& fields<SubscribeParams>() {
  static const Rows<SubscribeParams> rows = with_scope<SubscribeParams>({});
  return rows;
}

template <>
const Rows<PingParams>& fields<PingParams>() {
  return no_rows<PingParams>();
}

template <>
const Rows<DiscoverParams>& fields<DiscoverParams>() {
  return no_rows<DiscoverParams>();
}

template <>
const Rows<PoolListParams>& fields<PoolListParams>() {
  return no_rows<PoolListParams>();
}

template <>
const Rows<HostStatusParams>& fields<HostStatusParams>() {
  return no_rows<HostStatusParams>();
}

template <>
const Rows<HostDoctorParams>& fields<HostDoctorParams>() {
  static const Rows<HostDoctorParams> rows{optional<&HostDoctorParams::repair>(
      "repair", "put right what can be without asking: warnings say what, before it is done")};
  return rows;
}

template <>
const Rows<HostReloadParams>& fields<HostReloadParams>() {
  return no_rows<HostReloadParams>();
}

template <>
const Rows<HostShutdownParams>& fields<HostShutdownParams>() {
  return no_rows<HostShutdownParams>();
}

}  // namespace wtpool::proto
