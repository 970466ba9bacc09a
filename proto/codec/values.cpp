// How single values are read, and what is said of those that cannot be.
#include <cstdio>

#include "proto/codec/field.hpp"
#include "proto/codec/tables.hpp"
#include "proto/time_text.hpp"

namespace wtpool::proto {
namespace {

std::string joined(const std::vector<std::string_view>& words) {
  std::string out;
  for (const auto word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

std::string range_of(const FieldInfo& info) {
  if (info.minimum == kAnyInteger.minimum) return {};
  if (info.minimum && info.maximum) return " from " + std::to_string(*info.minimum) + " to " + std::to_string(*info.maximum);
  return info.minimum ? " of at least " + std::to_string(*info.minimum) : "";
}

std::string what_it_takes(const FieldInfo& info) {
  switch (info.type) {
    case FieldType::text:
      return "a string";
    case FieldType::choice:
      return "one of " + joined(info.choices);
    case FieldType::time:
      return "a time such as 2026-05-05T03:34:56Z";
    case FieldType::integer:
      return "an integer" + range_of(info);
    case FieldType::number:
      return "a number";
    case FieldType::boolean:
      return "true or false";
    case FieldType::texts:
      return "a list of strings";
    case FieldType::integers:
      return "a list of integers" + range_of(info);
    case FieldType::counts:
      return "an object of integers";
    case FieldType::id:
      return "an integer or a string";
    case FieldType::object:
      return "an object";
    case FieldType::objects:
      return "a list of objects";
  }
  return "another value";
}

}  // namespace

std::string_view to_text(FieldType type) {
  switch (type) {
    case FieldType::text:
      return "text";
    case FieldType::choice:
      return "choice";
    case FieldType::time:
      return "time";
    case FieldType::integer:
      return "integer";
    case FieldType::number:
      return "number";
    case FieldType::boolean:
      return "boolean";
    case FieldType::texts:
      return "texts";
    case FieldType::integers:
      return "integers";
    case FieldType::counts:
      return "counts";
    case FieldType::id:
      return "id";
    case FieldType::object:
      return "object";
    case FieldType::objects:
      return "objects";
  }
  return "unknown";
}

void wrong_type(const FieldInfo& info) {
  throw Error(ErrorKind::invalid_params, "`" + std::string(info.name) + "` takes " + what_it_takes(info));
}

void missing_field(const FieldInfo& info) {
  throw Error(ErrorKind::invalid_params, "`" + std::string(info.name) + "` is missing: it takes " + what_it_takes(info));
}

std::int64_t read_integer(const FieldInfo& info, const Json& value) {
  if (!value.is_number_integer()) wrong_type(info);
  if (value.is_number_unsigned() && !std::in_range<std::int64_t>(value.get<std::uint64_t>())) wrong_type(info);
  const auto number = value.get<std::int64_t>();
  if ((info.minimum && number < *info.minimum) || (info.maximum && number > *info.maximum)) wrong_type(info);
  return number;
}

std::string read_text(const FieldInfo& info, const Json& value) {
  if (!value.is_string()) wrong_type(info);
  return value.get<std::string>();
}

std::int64_t read_time(const FieldInfo& info, const Json& value) {
  const auto time = value.is_string() ? parse_rfc3339(value.get_ref<const std::string&>()) : std::nullopt;
  if (!time) wrong_type(info);
  return *time;
}

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace wtpool::proto
