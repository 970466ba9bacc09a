// The frames of tests/golden/v1 never change: they are decoded, encoded again byte for byte, and hold to the schemas of the
// document.
// g++ 12 with sanitizers takes the std::regex of valijson for uninitialised.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "proto/codec/codec.hpp"
#include "proto/codec/description.hpp"

namespace wtpool::proto {
namespace {

using Json = nlohmann::json;

const Json& document() {
  static const Json parsed = Json::parse(openrpc_document());
  return parsed;
}

// The goldens whose name ends so, by what stands before.
std::map<std::string, std::string> goldens(const std::string& ending) {
  std::map<std::string, std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(WTPOOL_SOURCE_DIR "/tests/golden/v1")) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(ending)) continue;
    std::ifstream file(entry.path());
    std::string line;
    std::getline(file, line);
    out[name.substr(0, name.size() - ending.size())] = line;
  }
  return out;
}

// What is wrong with the value, empty when it holds to the schema.
std::string violations(const Json& schema, const Json& value) {
  const Json whole{{"components", document().at("components")}, {"allOf", Json::array({schema})}};
  valijson::Schema compiled;
  valijson::SchemaParser parser;
  parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(whole), compiled);
  valijson::Validator validator;
  valijson::ValidationResults results;
  validator.validate(compiled, valijson::adapters::NlohmannJsonAdapter(value), &results);
  std::string out;
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    for (const auto& step : error.context) out += step;
    out += ": " + error.description + "\n";
  }
  return out;
}

// `slot.acquire-ports` is another frame of slot.acquire.
std::string method_named(const std::string& golden) { return golden.substr(0, golden.find('-')); }

Json params_schema(const Json& method) {
  Json out{{"type", "object"}, {"properties", Json::object()}, {"required", Json::array()}};
  for (const Json& param : method.at("params")) {
    const std::string name = param.at("name");
    out["properties"][name] = param.at("schema");
    if (param.at("required")) out["required"].push_back(name);
  }
  // A golden with a parameter that the document does not have is a mistake.
  out["additionalProperties"] = false;
  return out;
}

const Json& named(const Json& list, const std::string& name) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const Json& one) { return one.at("name") == name; });
  if (found == list.end()) throw std::runtime_error("not in the document: " + name);
  return *found;
}

template <class R>
std::string again(const WireId& id, const std::string& text) {
  return encode_answer(id, Result(decode_result<R>(text)));
}

const std::map<std::string, std::function<std::string(const WireId&, const std::string&)>>& answers() {
  static const std::map<std::string, std::function<std::string(const WireId&, const std::string&)>> table{
      {"hello", again<HelloResult>},
      {"ping", again<EmptyResult>},
      {"pool.init", again<PoolInitResult>},
      {"pool.list", again<PoolListResult>},
      {"pool.remove", again<EmptyResult>},
      {"slot.acquire", again<AcquireResult>},
      {"slot.confirm", again<EmptyResult>},
      {"slot.release", again<ReleaseResult>},
      {"slot.renew", again<RenewResult>},
      {"source.fetch", again<SourceFetchResult>},
      {"slot.resume", again<EmptyResult>},
      {"slot.list", again<SlotListResult>},
      {"slot.inspect", again<SlotInfo>},
      {"slot.path", again<SlotPathResult>},
      {"slot.repair", again<EmptyResult>},
      {"slot.attach", again<AttachResult>},
      {"slot.land", again<LandResult>},
      {"land.tested", again<EmptyResult>},
      {"scope.locate", again<LocateResult>},
      {"hooks.get", again<HooksResult>},
      {"slot.sweep", again<SweepResult>},
      {"slot.remove", again<EmptyResult>},
      {"store.place", again<StorePlaceResult>},
      {"store.add", again<StoreAddResult>},
      {"store.has", again<EmptyResult>},
      {"store.list", again<StoreListResult>},
      {"store.status", again<StoreStatusResult>},
      {"store.thaw", again<EmptyResult>},
      {"store.freeze", again<EmptyResult>},
      {"store.gc", again<StoreGcResult>},
      {"store.verify", again<EmptyResult>},
      {"store.path", again<SlotPathResult>},
      {"trash.list", again<TrashListResult>},
      {"trash.restore", again<TrashRestoreResult>},
      {"trash.drop", again<EmptyResult>},
      {"template.make", again<TemplateInfo>},
      {"template.list", again<TemplateListResult>},
      {"template.drop", again<EmptyResult>},
      {"events.subscribe", again<SlotListResult>},
      {"host.status", again<StatusResult>},
      {"host.doctor", again<DoctorResult>},
      {"host.reload", again<EmptyResult>},
      {"host.shutdown", again<EmptyResult>},
  };
  return table;
}

TEST(Golden, RequestsAreReadAndWrittenByteForByteAndHoldToTheirSchema) {
  const auto files = goldens(".request.json");
  for (const auto& [name, line] : files) {
    SCOPED_TRACE(name);
    const auto decoded = decode_client_frame(line);
    ASSERT_TRUE(std::holds_alternative<ClientFrame>(decoded)) << std::get<BadFrame>(decoded).error.message;
    const auto& request = std::get<RequestFrame>(std::get<ClientFrame>(decoded));
    EXPECT_EQ(request.method, method_named(name));
    EXPECT_EQ(method_of(request.params), method_named(name));
    EXPECT_EQ(encode_request(request.id, request.params), line);
    const Json params = Json::parse(line).value("params", Json::object());
    EXPECT_EQ(violations(params_schema(named(document().at("methods"), method_named(name))), params), "");
  }
  for (const MethodInfo& method : describe_methods()) EXPECT_TRUE(files.contains(std::string(method.name))) << method.name;
}

// Answers grow by fields that older daemons do not send: what an old answer says is said again, each field with its value.
bool says_the_same(const Json& old, const Json& again) {
  if (old.is_object() && again.is_object()) {
    return std::ranges::all_of(old.items(), [&again](const auto& item) {
      return again.contains(item.key()) && says_the_same(item.value(), again.at(item.key()));
    });
  }
  if (old.is_array() && again.is_array()) {
    return std::ranges::equal(old, again, says_the_same);
  }
  return old == again;
}

TEST(Golden, AnswersAreReadAndSayTheSameAgainAndHoldToTheirSchema) {
  const auto files = goldens(".answer.json");
  for (const auto& [name, line] : files) {
    SCOPED_TRACE(name);
    const auto frame = std::get<AnswerFrame>(decode_daemon_frame(line));
    const auto& text = std::get<std::string>(frame.outcome);
    const auto again = answers().at(method_named(name))(frame.id, text);
    EXPECT_TRUE(says_the_same(Json::parse(line), Json::parse(again))) << line << "\n" << again;
    EXPECT_EQ(violations(named(document().at("methods"), method_named(name)).at("result").at("schema"), Json::parse(text)), "");
  }
  for (const MethodInfo& method : describe_methods()) {
    const std::string name(method.name);
    // The document itself is not frozen: it grows with the protocol.
    EXPECT_TRUE(method.form == ResultForm::document || files.contains(name)) << name;
  }
}

TEST(Golden, NotificationsAreReadAndWrittenByteForByteAndHoldToTheirSchema) {
  std::set<std::string> seen{"$/cancel"};
  for (const auto& [name, line] : goldens(".note.json")) {
    SCOPED_TRACE(name);
    const auto frame = std::get<NoteFrame>(decode_daemon_frame(line));
    EXPECT_EQ(encode_notification(frame.note), line);
    const Json parsed = Json::parse(line);
    seen.insert(parsed.at("method").get<std::string>());
    EXPECT_EQ(violations(params_schema(named(document().at("x-notifications"), parsed.at("method"))), parsed.at("params")), "");
  }
  for (const NotificationInfo& note : describe_notifications()) EXPECT_TRUE(seen.contains(std::string(note.name))) << note.name;
}

TEST(Golden, CancelIsReadAndWrittenByteForByte) {
  const auto files = goldens(".cancel.json");
  ASSERT_FALSE(files.empty());
  for (const auto& [name, line] : files) {
    const auto decoded = decode_client_frame(line);
    EXPECT_EQ(encode_cancel(std::get<CancelFrame>(std::get<ClientFrame>(decoded)).target), line);
  }
}

TEST(Golden, ErrorsAreReadAndWrittenByteForByteAndHoldToTheirSchema) {
  const auto files = goldens(".error.json");
  EXPECT_GE(files.size(), 3U);
  for (const auto& [name, line] : files) {
    SCOPED_TRACE(name);
    const auto frame = std::get<AnswerFrame>(decode_daemon_frame(line));
    const auto& error = std::get<Error>(frame.outcome);
    EXPECT_EQ(info(error.kind).name, name);
    EXPECT_EQ(encode_answer(frame.id, error), line);
    const Json schema = document().at("components").at("schemas").at("ErrorData");
    EXPECT_EQ(violations(schema, Json::parse(line).at("error").at("data")), "");
  }
}

TEST(Schema, RefusesWhatTheCodecRefuses) {
  const Json schema = params_schema(named(document().at("methods"), "slot.acquire"));
  EXPECT_EQ(violations(schema, {{"name", "x"}}), "");
  EXPECT_NE(violations(schema, Json::object()), "");
  EXPECT_NE(violations(schema, {{"name", 7}}), "");
  EXPECT_NE(violations(schema, {{"name", "x"}, {"wait_ms", -1}}), "");
  EXPECT_NE(violations(schema, {{"name", "x"}, {"lease_kind", "eternal"}}), "");
}

}  // namespace
}  // namespace wtpool::proto
