// Inside the codec: a field is one row that decodes, encodes and documents. Readers throw Error{invalid_params} that names the
// field and what it takes; writers never throw.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "proto/codec/codec.hpp"
#include "proto/codec/description.hpp"

namespace wtpool::proto {

using Json = nlohmann::ordered_json;

template <class T>
struct Field {
  FieldInfo info;
  void (*read)(const FieldInfo& info, const Json& value, T& into);
  Json (*write)(const T& from);
  bool (*unset)(const T& from);  // true: left out where the field is not required
};

// The one table of a message, in the order of its keys on the wire. Specialised beside the messages.
template <class T>
[[nodiscard]] const std::vector<Field<T>>& fields();

template <class T>
struct SchemaName;  // specialised for what is nested in a result

// ---- values ----

[[noreturn]] void wrong_type(const FieldInfo& info);
[[nodiscard]] std::int64_t read_integer(const FieldInfo& info, const Json& value);
[[nodiscard]] std::string read_text(const FieldInfo& info, const Json& value);
[[nodiscard]] std::int64_t read_time(const FieldInfo& info, const Json& value);

template <class T>
void read_fields(const Json& object, T& into);
template <class T>
[[nodiscard]] Json write_fields(const T& from);
template <class T>
[[nodiscard]] std::vector<FieldInfo> describe();

template <class E>
struct Choices;
template <>
struct Choices<Dirty> {
  static constexpr std::array values{Dirty::save, Dirty::refuse, Dirty::discard};
};
template <>
struct Choices<LeaseKind> {
  static constexpr std::array values{LeaseKind::durable, LeaseKind::connection, LeaseKind::process};
};
template <>
struct Choices<LandStyle> {
  static constexpr std::array values{LandStyle::merge, LandStyle::no_ff, LandStyle::squash, LandStyle::rebase};
};
template <>
struct Choices<SlotState> {
  static constexpr std::array values{SlotState::fresh, SlotState::idle,      SlotState::acquiring,
                                     SlotState::held,  SlotState::recycling, SlotState::quarantined};
};

template <>
struct Choices<MergedWay> {
  static constexpr std::array values{MergedWay::same_commit, MergedWay::ancestor,           MergedWay::no_added_changes,
                                     MergedWay::trees_match, MergedWay::merge_adds_nothing, MergedWay::patch_id};
};
template <>
struct Choices<SweepClass> {
  static constexpr std::array values{SweepClass::broken, SweepClass::busy,  SweepClass::dirty, SweepClass::merged,
                                     SweepClass::empty,  SweepClass::young, SweepClass::ahead};
};

template <class V>
struct Nested : std::false_type {};
template <class V>
struct Nested<std::vector<V>> : std::is_class<V> {
  using Inner = V;
};
template <>
struct Nested<std::vector<std::string>> : std::false_type {};

template <class V>
struct Optional : std::false_type {
  using Inner = V;
};
template <class V>
struct Optional<std::optional<V>> : std::true_type {
  using Inner = V;
};

template <class V>
constexpr FieldType type_of() {
  if constexpr (std::is_same_v<V, std::string>) {
    return FieldType::text;
  } else if constexpr (std::is_same_v<V, bool>) {
    return FieldType::boolean;
  } else if constexpr (std::is_enum_v<V>) {
    return FieldType::choice;
  } else if constexpr (std::is_integral_v<V>) {
    return FieldType::integer;
  } else if constexpr (std::is_floating_point_v<V>) {
    return FieldType::number;
  } else if constexpr (std::is_same_v<V, std::vector<std::string>>) {
    return FieldType::texts;
  } else if constexpr (std::is_same_v<V, std::vector<std::int64_t>>) {
    return FieldType::integers;
  } else if constexpr (std::is_same_v<V, std::map<std::string, std::int64_t>>) {
    return FieldType::counts;
  } else if constexpr (Nested<V>::value) {
    return FieldType::objects;
  } else {
    return FieldType::object;
  }
}

template <class V>
V read_value(const FieldInfo& info, const Json& value) {
  constexpr FieldType type = type_of<V>();
  if constexpr (type == FieldType::text) {
    return read_text(info, value);
  } else if constexpr (type == FieldType::boolean) {
    if (!value.is_boolean()) wrong_type(info);
    return value.get<bool>();
  } else if constexpr (type == FieldType::choice) {
    const std::string text = read_text(info, value);
    const auto& all = Choices<V>::values;
    const auto found = std::ranges::find_if(all, [&](V one) { return to_text(one) == text; });
    if (found == all.end()) wrong_type(info);
    return *found;
  } else if constexpr (type == FieldType::integer) {
    const std::int64_t number = info.type == FieldType::time ? read_time(info, value) : read_integer(info, value);
    if (!std::in_range<V>(number)) wrong_type(info);
    return static_cast<V>(number);
  } else if constexpr (type == FieldType::number) {
    if (!value.is_number()) wrong_type(info);
    return value.get<V>();
  } else if constexpr (type == FieldType::counts) {
    if (!value.is_object()) wrong_type(info);
    V out;
    for (const auto& [key, count] : value.items()) out[key] = read_integer(info, count);
    return out;
  } else if constexpr (type == FieldType::object) {
    if (!value.is_object()) wrong_type(info);
    V out;
    read_fields(value, out);
    return out;
  } else {
    if (!value.is_array()) wrong_type(info);
    V out;
    for (const Json& one : value) out.push_back(read_value<typename V::value_type>(info, one));
    return out;
  }
}

template <class V>
Json write_value(const V& value) {
  constexpr FieldType type = type_of<V>();
  if constexpr (type == FieldType::choice) {
    return std::string(to_text(value));
  } else if constexpr (type == FieldType::object) {
    return write_fields(value);
  } else if constexpr (type == FieldType::objects) {
    Json out = Json::array();
    for (const auto& one : value) out.push_back(write_fields(one));
    return out;
  } else {
    return value;
  }
}

// ---- rows ----

template <class Object, class Head, class... Tail>
auto& reach(Object& object, Head head, Tail... tail) {
  if constexpr (sizeof...(tail) == 0) {
    return object.*head;
  } else {
    return reach(object.*head, tail...);
  }
}

template <class C, class M, class... Rest>
C owner_of(M C::*, Rest...);
template <auto... Path>
using OwnerOf = decltype(owner_of(Path...));
template <auto... Path>
using ValueOf = std::remove_cvref_t<decltype(reach(std::declval<OwnerOf<Path...>&>(), Path...))>;

struct Range {
  std::int64_t minimum = 0;
  std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
};
inline constexpr Range kPositive{1};
inline constexpr Range kProcess{2, std::numeric_limits<std::int32_t>::max()};  // 1 is nobody's to end
// A hundred years: whoever adds it to a clock, in nanoseconds even, stays within 64 bits.
inline constexpr Range kSeconds{1, 3'155'760'000};
inline constexpr Range kMilliseconds{0, 3'155'760'000'000};

template <auto... Path>
FieldInfo info_of(std::string_view name, std::string_view meaning, Range range) {
  using V = typename Optional<ValueOf<Path...>>::Inner;
  FieldInfo info{.name = name, .type = type_of<V>(), .meaning = meaning};
  if constexpr (type_of<V>() == FieldType::integer || type_of<V>() == FieldType::integers ||
                type_of<V>() == FieldType::counts) {
    info.minimum = range.minimum;
    if (range.maximum != Range{}.maximum) info.maximum = range.maximum;
  } else if constexpr (type_of<V>() == FieldType::choice) {
    for (const V one : Choices<V>::values) info.choices.push_back(to_text(one));
  } else if constexpr (type_of<V>() == FieldType::object) {
    info.children = describe<V>();
    info.schema = SchemaName<V>::value;
  } else if constexpr (type_of<V>() == FieldType::objects) {
    info.children = describe<typename V::value_type>();
    info.schema = SchemaName<typename V::value_type>::value;
  }
  return info;
}

template <auto... Path>
Field<OwnerOf<Path...>> make_field(FieldInfo info) {
  using T = OwnerOf<Path...>;
  using V = ValueOf<Path...>;
  return {std::move(info),
          [](const FieldInfo& self, const Json& value, T& into) {
            reach(into, Path...) = read_value<typename Optional<V>::Inner>(self, value);
          },
          [](const T& from) -> Json {
            const V& value = reach(from, Path...);
            if constexpr (Optional<V>::value) {
              return value ? write_value(*value) : Json(nullptr);
            } else {
              return write_value(value);
            }
          },
          [](const T& from) {
            const V& value = reach(from, Path...);
            if constexpr (Optional<V>::value) {
              return !value.has_value();
            } else if constexpr (std::is_class_v<V>) {
              return value.empty();
            } else {
              return value == V{};
            }
          }};
}

// A parameter that a request must have.
template <auto... Path>
auto required(std::string_view name, std::string_view meaning, Range range = {}) {
  FieldInfo info = info_of<Path...>(name, meaning, range);
  info.required = true;
  return make_field<Path...>(std::move(info));
}

// A field that is left out when it has nothing to say.
template <auto... Path>
auto optional(std::string_view name, std::string_view meaning, Range range = {}) {
  return make_field<Path...>(info_of<Path...>(name, meaning, range));
}

// A field that came later to what the daemon sends: always sent, null when there is nothing to say; older daemons do not.
template <auto... Path>
auto added(std::string_view name, std::string_view meaning, Range range = {}) {
  auto field = make_field<Path...>(info_of<Path...>(name, meaning, range));
  field.info.nullable = true;
  field.unset = [](const OwnerOf<Path...>&) { return false; };
  return field;
}

// A field of what the daemon sends: always there, null when there is nothing to say.
template <auto... Path>
auto always(std::string_view name, std::string_view meaning, Range range = {}) {
  FieldInfo info = info_of<Path...>(name, meaning, range);
  info.required = true;
  info.nullable = Optional<ValueOf<Path...>>::value;
  return make_field<Path...>(std::move(info));
}

// Seconds since the epoch in the value, RFC 3339 on the wire.
template <auto... Path>
auto always_time(std::string_view name, std::string_view meaning) {
  auto field = always<Path...>(name, meaning);
  field.info.type = FieldType::time;
  field.info.minimum.reset();
  field.write = [](const OwnerOf<Path...>& from) -> Json {
    const auto& value = reach(from, Path...);
    if constexpr (Optional<ValueOf<Path...>>::value) {
      return value ? Json(rfc3339(*value)) : Json(nullptr);
    } else {
      return rfc3339(value);
    }
  };
  return field;
}

// ---- messages ----

[[noreturn]] void missing_field(const FieldInfo& info);

template <class T>
void read_fields(const Json& object, T& into) {
  for (const Field<T>& field : fields<T>()) {
    const auto found = object.find(std::string(field.info.name));
    const bool given = found != object.end();
    if (given && (!found->is_null() || (field.info.required && !field.info.nullable))) {
      field.read(field.info, *found, into);
    } else if (!given && field.info.required && !field.info.nullable) {
      missing_field(field.info);
    }
  }
}

template <class T>
Json write_fields(const T& from) {
  Json out = Json::object();
  for (const Field<T>& field : fields<T>()) {
    if (field.info.required || !field.unset(from)) out[std::string(field.info.name)] = field.write(from);
  }
  return out;
}

template <class T>
std::vector<FieldInfo> describe() {
  std::vector<FieldInfo> out;
  for (const Field<T>& field : fields<T>()) out.push_back(field.info);
  return out;
}

}  // namespace wtpool::proto
