// Inside the codec: the tables that are nested in others, and the names of their schemas.
#pragma once

#include "proto/codec/field.hpp"

namespace wtpool::proto {

inline constexpr Range kAnyInteger{std::numeric_limits<std::int64_t>::min()};
inline constexpr Range kPort{1, 65'535};

template <>
const std::vector<Field<LeaseInfo>>& fields<LeaseInfo>();
template <>
const std::vector<Field<MergedInfo>>& fields<MergedInfo>();
template <>
const std::vector<Field<GitInfo>>& fields<GitInfo>();
template <>
const std::vector<Field<SweepRow>>& fields<SweepRow>();
template <>
const std::vector<Field<HookInfo>>& fields<HookInfo>();
template <>
const std::vector<Field<HookFile>>& fields<HookFile>();
template <>
const std::vector<Field<SlotInfo>>& fields<SlotInfo>();
template <>
const std::vector<Field<PoolInfo>>& fields<PoolInfo>();
template <>
const std::vector<Field<CheckoutInfo>>& fields<CheckoutInfo>();
template <>
const std::vector<Field<TrashEntry>>& fields<TrashEntry>();
template <>
const std::vector<Field<MissingDep>>& fields<MissingDep>();
template <>
const std::vector<Field<StoreEntryInfo>>& fields<StoreEntryInfo>();
template <>
const std::vector<Field<StoreLinkInfo>>& fields<StoreLinkInfo>();
template <>
const std::vector<Field<StoreGraftInfo>>& fields<StoreGraftInfo>();
template <>
const std::vector<Field<StoreKeptInfo>>& fields<StoreKeptInfo>();
template <>
const std::vector<Field<LeftOut>>& fields<LeftOut>();
template <>
const std::vector<Field<CarriedTotal>>& fields<CarriedTotal>();
template <>
const std::vector<Field<CarriedPath>>& fields<CarriedPath>();
template <>
const std::vector<Field<TemplateInfo>>& fields<TemplateInfo>();
template <>
const std::vector<Field<DoctorCheck>>& fields<DoctorCheck>();
template <>
const std::vector<Field<GitDetails>>& fields<GitDetails>();
template <>
const std::vector<Field<Error>>& fields<Error>();

template <>
struct SchemaName<LeaseInfo> {
  static constexpr std::string_view value = "Lease";
};
template <>
struct SchemaName<GitInfo> {
  static constexpr std::string_view value = "GitStatus";
};
template <>
struct SchemaName<SlotInfo> {
  static constexpr std::string_view value = "Slot";
};
template <>
struct SchemaName<HookInfo> {
  static constexpr std::string_view value = "Hook";
};
template <>
struct SchemaName<HookFile> {
  static constexpr std::string_view value = "HookFile";
};
template <>
struct SchemaName<PoolInfo> {
  static constexpr std::string_view value = "Pool";
};
template <>
struct SchemaName<MergedInfo> {
  static constexpr std::string_view value = "Merged";
};
template <>
struct SchemaName<SweepRow> {
  static constexpr std::string_view value = "SweepRow";
};
template <>
struct SchemaName<CheckoutInfo> {
  static constexpr std::string_view value = "Checkout";
};
template <>
struct SchemaName<TrashEntry> {
  static constexpr std::string_view value = "TrashEntry";
};
template <>
struct SchemaName<MissingDep> {
  static constexpr std::string_view value = "MissingDep";
};
template <>
struct SchemaName<StoreEntryInfo> {
  static constexpr std::string_view value = "StoreEntry";
};
template <>
struct SchemaName<StoreLinkInfo> {
  static constexpr std::string_view value = "StoreLink";
};
template <>
struct SchemaName<StoreGraftInfo> {
  static constexpr std::string_view value = "StoreGraft";
};
template <>
struct SchemaName<StoreKeptInfo> {
  static constexpr std::string_view value = "StoreKept";
};
template <>
struct SchemaName<LeftOut> {
  static constexpr std::string_view value = "LeftOut";
};
template <>
struct SchemaName<CarriedTotal> {
  static constexpr std::string_view value = "CarriedTotal";
};
template <>
struct SchemaName<CarriedPath> {
  static constexpr std::string_view value = "CarriedPath";
};
template <>
struct SchemaName<TemplateInfo> {
  static constexpr std::string_view value = "Template";
};
template <>
struct SchemaName<DoctorCheck> {
  static constexpr std::string_view value = "DoctorCheck";
};
template <>
struct SchemaName<GitDetails> {
  static constexpr std::string_view value = "GitFailure";
};

inline constexpr std::string_view kCancelMethod = "$/cancel";

[[nodiscard]] Json write_error(const Error& error);
[[nodiscard]] Error read_error(const Json& value);

// The result as a value; of rpc.discover the whole document.
[[nodiscard]] Json write_result(const Result& result);
// One row a notification of the daemon.
[[nodiscard]] Notification read_notification(std::string_view method, const Json& params);
[[nodiscard]] std::pair<std::string_view, Json> write_notification(const Notification& note);

// Params of a method; throws unknown_method and invalid_params.
[[nodiscard]] Params read_params(std::string_view method, const Json& params);
[[nodiscard]] Json write_params(const Params& params);

// One line, valid UTF-8, whatever the strings hold.
[[nodiscard]] std::string dump(const Json& value);

}  // namespace wtpool::proto
