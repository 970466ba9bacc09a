// Tables of templates, and of how a slot came about.
#include "proto/codec/field.hpp"
#include "proto/codec/tables.hpp"
#include "proto/codec/with_scope.hpp"

namespace wtpool::proto {

template <>
const Rows<LeftOut>& fields<LeftOut>() {
  using R = LeftOut;
  static const Rows<R> rows{
      always<&R::path>("path", "relative to the slot, without a trailing slash"),
      always<&R::reason>("reason", "guard, path-bound, secret, changed, foreign, untracked or not-carried")};
  return rows;
}

template <>
const Rows<CarriedTotal>& fields<CarriedTotal>() {
  using R = CarriedTotal;
  static const Rows<R> rows{always<&R::files>("files", "how many files"), always<&R::bytes>("bytes", "how many bytes")};
  return rows;
}

template <>
const Rows<CarriedPath>& fields<CarriedPath>() {
  using R = CarriedPath;
  static const Rows<R> rows{always<&R::path>("path", "relative to the slot, without a trailing slash"),
                            always<&R::files>("files", "how many files"), always<&R::bytes>("bytes", "how many bytes"),
                            always<&R::guards>("guards", "tracked files that make it valid")};
  return rows;
}

template <>
const Rows<TemplateInfo>& fields<TemplateInfo>() {
  using R = TemplateInfo;
  static const Rows<R> rows{always<&R::pool>("pool", "the pool's key"),
                            always<&R::group>("group", "null in a pool without groups"),
                            always<&R::id>("id", "what template.drop takes"),
                            always<&R::commit>("commit", "the commit that its tracked files are of"),
                            always_time<&R::made_at>("made_at", "when it was frozen"),
                            always<&R::slot>("slot", "the slot that it is a copy of"),
                            always<&R::create>("create", "how slots are made of it: snapshot or reflink"),
                            always<&R::files>("files", "how many files"),
                            always<&R::bytes>("bytes", "how many bytes"),
                            always<&R::disk_bytes>("disk_bytes", "what it took of the disk when it was made"),
                            always<&R::carried>("carried", "what git ignores and a new slot gets all the same"),
                            always<&R::left_out>("left_out", "what the slot had and the template has not"),
                            always<&R::in_use>("in_use", "new slots of its group are made of it"),
                            always<&R::damaged>("damaged", "a file of it changed, so that it is used no more")};
  return rows;
}

template <>
const Rows<TemplateMakeParams>& fields<TemplateMakeParams>() {
  using P = TemplateMakeParams;
  static const Rows<P> rows = with_scope<P>(
      {optional<&P::lease_id>("lease_id", "the lease whose slot is frozen; absent: an idle slot"),
       optional<&P::slot>("slot", "the idle slot; absent: the one nearest to `commit`"),
       optional<&P::commit>("commit", "default: the pool's default_commit"),
       optional<&P::group>("group", "the group of the template"),
       optional<&P::caller_pids>("caller_pids", "the client and its ancestors, who may stand in the slot", kPositive),
       optional<&P::wait_ms>("wait_ms", "wait so many milliseconds for processes in the slot to end", kMilliseconds)});
  return rows;
}

template <>
const Rows<TemplateListParams>& fields<TemplateListParams>() {
  static const Rows<TemplateListParams> rows = with_scope<TemplateListParams>({});
  return rows;
}

template <>
const Rows<TemplateDropParams>& fields<TemplateDropParams>() {
  static const Rows<TemplateDropParams> rows =
      with_scope<TemplateDropParams>({required<&TemplateDropParams::id>("id", "the template")});
  return rows;
}

template <>
const Rows<WarmParams>& fields<WarmParams>() {
  using P = WarmParams;
  static const Rows<P> rows = with_scope<P>({required<&P::count>("count", "how many are to be idle in all", Range{0, 10000}),
                                             optional<&P::group>("group", "the group of slots"),
                                             optional<&P::wait>("wait", "answer when they are idle")});
  return rows;
}

template <>
const Rows<WarmResult>& fields<WarmResult>() {
  using R = WarmResult;
  static const Rows<R> rows{
      always<&R::idle>("idle", "slots of the group that are idle now"),
      always<&R::wanted>("wanted", "how many there will be: fewer than `count` where max_slots is reached")};
  return rows;
}

}  // namespace wtpool::proto
