// The document and the codec's own tables say the same, in both directions.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "proto/codec/codec.hpp"
#include "proto/codec/description.hpp"

namespace wtpool::proto {
namespace {

using Json = nlohmann::json;

const Json& document() {
  static const Json parsed = Json::parse(openrpc_document());
  return parsed;
}

Json reference(std::string_view schema) { return {{"$ref", "#/components/schemas/" + std::string(schema)}}; }

Json typed(const FieldInfo& field, const char* type) {
  if (field.nullable) return {{"type", {type, "null"}}};
  return {{"type", type}};
}

Json integer(const FieldInfo& field, Json schema) {
  if (field.minimum > std::numeric_limits<std::int64_t>::min()) schema["minimum"] = *field.minimum;
  if (field.maximum) schema["maximum"] = *field.maximum;
  return schema;
}

Json schema_of(const FieldInfo& field) {
  const Json plain_integer = integer(field, {{"type", "integer"}});
  switch (field.type) {
    case FieldType::text:
      return typed(field, "string");
    case FieldType::choice: {
      Json out = typed(field, "string");
      out["enum"] = field.choices;
      return out;
    }
    case FieldType::time: {
      Json out = typed(field, "string");
      out["pattern"] = R"(^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$)";
      return out;
    }
    case FieldType::integer:
      return integer(field, typed(field, "integer"));
    case FieldType::number:
      return typed(field, "number");
    case FieldType::boolean:
      return typed(field, "boolean");
    case FieldType::texts:
      return {{"type", "array"}, {"items", {{"type", "string"}}}};
    case FieldType::integers:
      return {{"type", "array"}, {"items", plain_integer}};
    case FieldType::counts:
      return {{"type", "object"}, {"additionalProperties", plain_integer}};
    case FieldType::id:
      return {{"type", {"integer", "string"}}};
    case FieldType::objects:
      return {{"type", "array"}, {"items", reference(field.schema)}};
    case FieldType::object:
      if (field.nullable) return {{"oneOf", Json::array({reference(field.schema), {{"type", "null"}}})}};
      return {{"allOf", Json::array({reference(field.schema)})}};
  }
  return {};
}

Json descriptors_of(const std::vector<FieldInfo>& fields) {
  Json out = Json::array();
  for (const FieldInfo& field : fields) {
    out.push_back(
        {{"name", field.name}, {"description", field.meaning}, {"required", field.required}, {"schema", schema_of(field)}});
  }
  return out;
}

Json object_schema(const std::vector<FieldInfo>& fields) {
  Json out{{"type", "object"}, {"properties", Json::object()}};
  for (const FieldInfo& field : fields) {
    Json property = schema_of(field);
    property["description"] = field.meaning;
    out["properties"][std::string(field.name)] = property;
    if (field.required) out["required"].push_back(field.name);
  }
  return out;
}

void collect(Json& schemas, std::string_view name, const std::vector<FieldInfo>& fields) {
  schemas[std::string(name)] = object_schema(fields);
  for (const FieldInfo& field : fields) {
    if (!field.schema.empty()) collect(schemas, field.schema, field.children);
  }
}

TEST(Document, DescribesEveryMethodAsTheCodecTakesIt) {
  Json expected = Json::array();
  for (const MethodInfo& method : describe_methods()) {
    Json result = reference(method.schema);
    if (method.form == ResultForm::array) result = {{"type", "array"}, {"items", result}};
    expected.push_back({{"name", method.name},
                        {"summary", method.meaning},
                        {"paramStructure", "by-name"},
                        {"params", descriptors_of(method.params)},
                        {"result", {{"name", "result"}, {"schema", result}}}});
  }
  Json found = document().at("methods");
  for (Json& method : found) method.erase("errors");
  EXPECT_EQ(found, expected) << Json::diff(found, expected);
}

TEST(Document, HasTheSchemasOfTheCodecAndNoOther) {
  Json expected = Json::object();
  for (const MethodInfo& method : describe_methods()) {
    if (method.form != ResultForm::document) collect(expected, method.schema, method.result);
  }
  collect(expected, "ErrorData", describe_error_data());
  Json found = document().at("components").at("schemas");
  EXPECT_EQ(found.erase("OpenRpcDocument"), 1U);
  EXPECT_EQ(found, expected) << Json::diff(found, expected);
}

TEST(Document, DescribesEveryNotification) {
  Json expected = Json::array();
  for (const NotificationInfo& note : describe_notifications()) {
    expected.push_back({{"name", note.name},
                        {"summary", note.meaning},
                        {"x-from", note.from_client ? "client" : "daemon"},
                        {"params", descriptors_of(note.params)}});
  }
  const Json& found = document().at("x-notifications");
  EXPECT_EQ(found, expected) << Json::diff(found, expected);
}

TEST(Document, HasTheErrorTable) {
  Json expected = Json::object();
  for (const ErrorInfo& row : error_table()) {
    expected[std::string(row.name)] = {{"code", row.code},
                                       {"message", row.meaning},
                                       {"data", {{"kind", row.name}, {"retryable", row.retryable}}},
                                       {"x-exit-code", row.exit_code}};
  }
  const Json& found = document().at("components").at("errors");
  EXPECT_EQ(found, expected) << Json::diff(found, expected);
}

void expect_references_lead_somewhere(const Json& value) {
  if (value.is_object() && value.contains("$ref")) {
    const auto target = value.at("$ref").get<std::string>();
    ASSERT_TRUE(target.starts_with("#/"));
    EXPECT_TRUE(document().contains(Json::json_pointer(target.substr(1)))) << target;
  }
  if (!value.is_structured()) return;
  for (const Json& child : value) expect_references_lead_somewhere(child);
}

TEST(Document, HasNoReferenceThatLeadsNowhere) { expect_references_lead_somewhere(document()); }

TEST(Document, IsOpenRpc) {
  EXPECT_EQ(document().at("openrpc"), "1.2.6");
  EXPECT_TRUE(document().at("info").contains("title"));
  std::set<std::string> names;
  for (const Json& method : document().at("methods")) names.insert(method.at("name"));
  EXPECT_EQ(names.size(), std::variant_size_v<Params>);
}

TEST(Codec, NamesAMethodForEveryKindOfParams) {
  std::set<std::string_view> names;
  for (const MethodInfo& method : describe_methods()) names.insert(method.name);
  EXPECT_EQ(names.size(), std::variant_size_v<Params>);
  EXPECT_TRUE(names.contains(method_of(AcquireParams{})));
  EXPECT_EQ(method_of(HelloParams{}), "hello");
  EXPECT_EQ(method_of(HostShutdownParams{}), "host.shutdown");
}

}  // namespace
}  // namespace wtpool::proto
