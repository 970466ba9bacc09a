// Results as clients read them.
#include "proto/codec/splitter.hpp"
#include "proto/codec/tables.hpp"

namespace wtpool::proto {
namespace {

// What a bare array on the wire fills.
template <class R>
auto* list_of(R&) {
  return static_cast<std::vector<int>*>(nullptr);
}
std::vector<SlotInfo>* list_of(SlotListResult& result) { return &result.slots; }
std::vector<PoolInfo>* list_of(PoolListResult& result) { return &result.pools; }
std::vector<TrashEntry>* list_of(TrashListResult& result) { return &result.entries; }
std::vector<StoreEntryInfo>* list_of(StoreListResult& result) { return &result.entries; }
std::vector<SweepRow>* list_of(SweepResult& result) { return &result.rows; }
std::vector<TemplateInfo>* list_of(TemplateListResult& result) { return &result.templates; }

template <class R>
constexpr bool kIsList = !std::is_same_v<decltype(list_of(std::declval<R&>())), std::vector<int>*>;

template <class R>
R read_result(const Json& value) {
  R out;
  if constexpr (kIsList<R>) {
    auto& list = *list_of(out);
    const FieldInfo info{.name = "result", .type = FieldType::objects};
    list = read_value<std::remove_reference_t<decltype(list)>>(info, value);
  } else {
    if (!value.is_object()) wrong_type(FieldInfo{.name = "result", .type = FieldType::object});
    if constexpr (!std::is_same_v<R, DiscoverResult>) read_fields(value, out);
  }
  return out;
}

}  // namespace

template <class R>
R decode_result(std::string_view json_text) {
  try {
    if (const auto excess = exceeds_limits(json_text)) throw Error(ErrorKind::invalid_request, *excess);
    const Json value = Json::parse(json_text, nullptr, false);
    if (value.is_discarded()) throw Error(ErrorKind::invalid_request, "it is not JSON");
    return read_result<R>(value);
  } catch (const Error& error) {
    throw Error(ErrorKind::invalid_request, "the daemon's result is not understood: " + error.message);
  }
}

template EmptyResult decode_result(std::string_view);
template HelloResult decode_result(std::string_view);
template DiscoverResult decode_result(std::string_view);
template PoolInitResult decode_result(std::string_view);
template SlotListResult decode_result(std::string_view);
template SlotInfo decode_result(std::string_view);
template SlotPathResult decode_result(std::string_view);
template AcquireResult decode_result(std::string_view);
template ReleaseResult decode_result(std::string_view);
template LandResult decode_result(std::string_view);
template RenewResult decode_result(std::string_view);
template SourceFetchResult decode_result(std::string_view);
template PoolListResult decode_result(std::string_view);
template TrashListResult decode_result(std::string_view);
template TrashRestoreResult decode_result(std::string_view);
template StorePlaceResult decode_result(std::string_view);
template StoreAddResult decode_result(std::string_view);
template StoreListResult decode_result(std::string_view);
template StoreStatusResult decode_result(std::string_view);
template StoreGcResult decode_result(std::string_view);
template TemplateInfo decode_result(std::string_view);
template TemplateListResult decode_result(std::string_view);
template StatusResult decode_result(std::string_view);
template DoctorResult decode_result(std::string_view);
template SweepResult decode_result(std::string_view);
template AttachResult decode_result(std::string_view);
template LocateResult decode_result(std::string_view);
template HooksResult decode_result(std::string_view);

}  // namespace wtpool::proto
