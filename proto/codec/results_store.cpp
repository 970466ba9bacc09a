// Tables of what the store answers.
#include "proto/codec/field.hpp"
#include "proto/codec/tables.hpp"

namespace wtpool::proto {

template <class T>
using Rows = std::vector<Field<T>>;

template <>
const Rows<MissingDep>& fields<MissingDep>() {
  using R = MissingDep;
  static const Rows<R> rows{always<&R::name>("name", "the dep's name"), always<&R::key>("key", "the KEY that is wanted")};
  return rows;
}

template <>
const Rows<StorePlaceResult>& fields<StorePlaceResult>() {
  using R = StorePlaceResult;
  static const Rows<R> rows{
      always<&R::key>("key", "the KEY of the entry"),
      always<&R::mode>("mode", "how it was placed"),
      always<&R::links>("links", "how many grafts stand"),
      always<&R::overridden>("overridden", "where something else stands, which stayed"),
      optional<&R::ticket>("ticket",
                           "nothing was placed yet: run the command, its output into `file`, and ask again with this"),
      optional<&R::file>("file", "where the output of the command goes")};
  return rows;
}

template <>
const Rows<StoreAddResult>& fields<StoreAddResult>() {
  using R = StoreAddResult;
  static const Rows<R> rows{always<&R::key>("key", "the KEY of the entry"),
                            always<&R::made>("made", "it was not there before")};
  return rows;
}

template <>
const Rows<StoreEntryInfo>& fields<StoreEntryInfo>() {
  using R = StoreEntryInfo;
  static const Rows<R> rows{always<&R::key>("key", "the KEY of the entry"),
                            always<&R::sha256>("sha256", "of the archive; null when it was a directory"),
                            always<&R::files>("files", "how many files"),
                            always<&R::bytes>("bytes", "how many bytes"),
                            always_time<&R::made_at>("made_at", "when it was made"),
                            always_time<&R::used_at>("used_at", "when it was placed last"),
                            always<&R::roots>("roots", "slots and directories that it is grafted into"),
                            always<&R::synced>("synced", "on the disk, whatever the power does")};
  return rows;
}

template <>
const Rows<StoreLinkInfo>& fields<StoreLinkInfo>() {
  using R = StoreLinkInfo;
  static const Rows<R> rows{always<&R::path>("path", "relative to the slot or directory"),
                            always<&R::state>("state", "ok, gone, overridden, thawed or dangling")};
  return rows;
}

template <>
const Rows<StoreGraftInfo>& fields<StoreGraftInfo>() {
  using R = StoreGraftInfo;
  static const Rows<R> rows{always<&R::key>("key", "the KEY of the entry"), always<&R::mode>("mode", "link, reflink or copy"),
                            always<&R::state>("state", "placed, incomplete or missing"),
                            always<&R::links>("links", "one element a graft"),
                            always<&R::drift>("drift", "the KEY that the slot's HEAD asks for, where that is another")};
  return rows;
}

template <>
const Rows<StoreStatusResult>& fields<StoreStatusResult>() {
  using R = StoreStatusResult;
  static const Rows<R> rows{always<&R::pool>("pool", "null for a directory that is no slot"),
                            always<&R::slot>("slot", "null for a directory that is no slot"),
                            always<&R::path>("path", "the slot or directory, an absolute path"),
                            always<&R::entries>("entries", "one element an entry")};
  return rows;
}

template <>
const Rows<StoreKeptInfo>& fields<StoreKeptInfo>() {
  using R = StoreKeptInfo;
  static const Rows<R> rows{always<&R::key>("key", "the KEY of the entry"), always<&R::why>("why", "why it stays")};
  return rows;
}

template <>
const Rows<StoreGcResult>& fields<StoreGcResult>() {
  using R = StoreGcResult;
  static const Rows<R> rows{always<&R::removed>("removed", "KEYs of the entries"), always<&R::bytes>("bytes", "of those"),
                            always<&R::kept>("kept", "the others, and why")};
  return rows;
}

}  // namespace wtpool::proto
