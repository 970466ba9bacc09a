// Tables of what requests to the store carry.
#include "proto/codec/field.hpp"
#include "proto/codec/tables.hpp"

namespace wtpool::proto {
namespace {

template <class T>
using Rows = std::vector<Field<T>>;

template <class T>
Rows<T> with_scope(Rows<T> rows) {
  Rows<T> out{optional<&T::scope, &Scope::pool>("pool", "the pool's key, where a slot is meant; else cwd tells"),
              optional<&T::scope, &Scope::cwd>("cwd", "the caller's directory, absolute: tells the slot it is in")};
  out.insert(out.end(), rows.begin(), rows.end());
  return out;
}

}  // namespace

template <>
const Rows<StorePlaceParams>& fields<StorePlaceParams>() {
  using P = StorePlaceParams;
  static const Rows<P> rows = with_scope<P>(
      {required<&P::key>("key", "the KEY of the entry"),
       optional<&P::archive>("archive", "what the entry is made of when it is not there: an archive or a directory, absolute"),
       required<&P::into>("into", "the directory, absolute"), optional<&P::mode>("mode", "link (default), reflink or copy"),
       optional<&P::frozen_only>("frozen_only", "neither archive nor command is used"),
       optional<&P::force>("force", "place also what git would show"),
       optional<&P::command>("command", "the client can run a command that prints the archive"),
       optional<&P::ticket>("ticket", "of the answer that asked for the command: the archive is what it printed"),
       optional<&P::progress>("progress", "send `progress` while it lasts")});
  return rows;
}

template <>
const Rows<StoreAddParams>& fields<StoreAddParams>() {
  using P = StoreAddParams;
  static const Rows<P> rows =
      with_scope<P>({required<&P::key>("key", "the KEY of the entry; -: the archive's SHA-256"),
                     required<&P::archive>("archive", "an archive or a directory, absolute"),
                     optional<&P::dep>("dep", "a dep of the pool, whose KEY at the slot's HEAD is taken"),
                     optional<&P::progress>("progress", "send `progress` while it lasts")});
  return rows;
}

template <>
const Rows<StoreHasParams>& fields<StoreHasParams>() {
  static const Rows<StoreHasParams> rows{required<&StoreHasParams::keys>("keys", "KEYs")};
  return rows;
}

template <>
const Rows<StoreListParams>& fields<StoreListParams>() {
  static const Rows<StoreListParams> rows;
  return rows;
}

template <>
const Rows<StoreStatusParams>& fields<StoreStatusParams>() {
  using P = StoreStatusParams;
  static const Rows<P> rows = with_scope<P>(
      {optional<&P::target>("target", "SLOT or NAME"), optional<&P::directory>("directory", "a directory, absolute")});
  return rows;
}

template <>
const Rows<StoreThawParams>& fields<StoreThawParams>() {
  using P = StoreThawParams;
  static const Rows<P> rows = with_scope<P>({required<&P::paths>("paths", "grafts at or below these paths, absolute")});
  return rows;
}

template <>
const Rows<StoreFreezeParams>& fields<StoreFreezeParams>() {
  using P = StoreFreezeParams;
  static const Rows<P> rows = with_scope<P>({required<&P::paths>("paths", "grafts at or below these paths, absolute"),
                                             optional<&P::discard>("discard", "drop what differs from the entry")});
  return rows;
}

template <>
const Rows<StoreGcParams>& fields<StoreGcParams>() {
  using P = StoreGcParams;
  static const Rows<P> rows{optional<&P::dry_run>("dry_run", "only say what would be removed"),
                            optional<&P::older_than_seconds>("older_than_seconds", "unused for so long; default: 30 days"),
                            optional<&P::keep_bytes>("keep_bytes", "until the rest is so large at most"),
                            optional<&P::archives>("archives", "a directory whose archives of entries that are gone go, too")};
  return rows;
}

template <>
const Rows<StoreVerifyParams>& fields<StoreVerifyParams>() {
  static const Rows<StoreVerifyParams> rows{optional<&StoreVerifyParams::key>("key", "only this entry")};
  return rows;
}

template <>
const Rows<StorePathParams>& fields<StorePathParams>() {
  static const Rows<StorePathParams> rows;
  return rows;
}

}  // namespace wtpool::proto
