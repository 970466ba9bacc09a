#include "proto/codec/codec.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "proto/codec/splitter.hpp"

namespace wtpool::proto {
namespace {

RequestFrame good(const std::string& line) {
  auto decoded = decode_client_frame(line);
  if (const auto* bad = std::get_if<BadFrame>(&decoded)) throw bad->error;
  return std::get<RequestFrame>(std::get<ClientFrame>(decoded));
}

BadFrame bad(const std::string& line) {
  auto decoded = decode_client_frame(line);
  if (auto* frame = std::get_if<BadFrame>(&decoded)) return *frame;
  ADD_FAILURE() << "taken: " << line;
  return {};
}

std::string request(const std::string& method, const std::string& params) {
  return R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}";
}

TEST(Request, TakesWhatAPersonTypes) {
  const auto frame =
      good(R"( { "method" : "slot.list", "params": {"pool": "p", "later": [1]}, "id": "x", "jsonrpc": "2.0" } )");
  EXPECT_EQ(std::get<std::string>(frame.id), "x");
  EXPECT_EQ(std::get<SlotListParams>(frame.params).scope.pool, "p");
  EXPECT_FALSE(std::get<SlotListParams>(frame.params).git_status);
  EXPECT_NO_THROW(good(R"({"jsonrpc":"2.0","id":-1,"method":"ping"})"));
  EXPECT_NO_THROW(good(R"({"jsonrpc":"2.0","id":1,"method":"ping","params":null})"));
}

TEST(Request, TakesNullForAnOptionalParameter) {
  const auto frame = good(request("slot.acquire", R"({"name":"x","commit":null,"wait_ms":null})"));
  EXPECT_FALSE(std::get<AcquireParams>(frame.params).wait_ms);
  EXPECT_FALSE(std::get<AcquireParams>(frame.params).commit);
}

TEST(Request, OfAReleaseFillsTheLeaseThatItsTargetCallsFor) {
  const auto alone = std::get<ReleaseParams>(good(request("slot.release", R"({"lease_id":"l"})")).params);
  EXPECT_EQ(alone.target.lease_id, "l");
  EXPECT_FALSE(alone.lease_id);
  for (const std::string key : {"name", "slot", "target"}) {
    const auto beside =
        std::get<ReleaseParams>(good(request("slot.release", R"({"lease_id":"l",")" + key + R"(":"x"})")).params);
    EXPECT_EQ(beside.lease_id, "l");
    EXPECT_FALSE(beside.target.lease_id);
  }
  EXPECT_EQ(encode_request(std::int64_t{1}, alone),
            R"({"jsonrpc":"2.0","id":1,"method":"slot.release","params":{"lease_id":"l"}})");
}

TEST(Request, NamesTheFieldThatIsWrongAndWhatItTakes) {
  struct Case {
    std::string method, params, says;
  };
  const std::vector<Case> cases{
      {"slot.acquire", "{}", "`name` is missing: it takes a string"},
      {"slot.acquire", R"({"name":null})", "`name` takes a string"},
      {"slot.acquire", R"({"name":7})", "`name` takes a string"},
      {"slot.acquire", R"({"name":"x","wait_ms":-1})", "`wait_ms` takes an integer from 0 to 3155760000000"},
      {"slot.acquire", R"({"name":"x","wait_ms":1.5})", "`wait_ms` takes an integer from 0 to 3155760000000"},
      {"slot.acquire", R"({"name":"x","wait_ms":18446744073709551615})", "`wait_ms` takes an integer from 0 to 3155760000000"},
      {"slot.acquire", R"({"name":"x","ttl_seconds":0})", "`ttl_seconds` takes an integer from 1 to 3155760000"},
      {"slot.acquire", R"({"name":"x","owner_pid":0})", "`owner_pid` takes an integer of at least 1"},
      {"slot.acquire", R"({"name":"x","unique_sha":1})", "`unique_sha` takes true or false"},
      {"slot.acquire", R"({"name":"x","lease_kind":"eternal"})", "`lease_kind` takes one of durable, connection, process"},
      {"slot.acquire", R"({"name":"x","exclude_submodule_tags":["a",1]})", "`exclude_submodule_tags` takes a list of strings"},
      {"slot.acquire", R"({"name":"x","commit":"a\u0000b"})", "`commit` takes no NUL character"},
      {"slot.release", R"({"caller_pids":[-4]})", "`caller_pids` takes a list of integers of at least 1"},
      {"slot.path", R"({"name":"x","slot":"y"})", "give only one of `target`, `name`, `slot` and `lease_id`"},
      {"pool.init", R"({"source":"/s","max_slots":0})", "`max_slots` takes an integer from 1 to 10000"},
      {"pool.init", R"({"source":"/s","max_slots":4294967297})", "`max_slots` takes an integer from 1 to 10000"},
      {"hello", R"({"protocol":99999999999,"client":"c"})", "`protocol` takes an integer of at least 1"},
      {"slot.list", "[1]", "`params` takes an object: parameters go by name"},
      {"slot.list", "\"x\"", "`params` takes an object: parameters go by name"},
  };
  for (const auto& [method, params, says] : cases) {
    const auto frame = bad(request(method, params));
    EXPECT_EQ(frame.error.kind, ErrorKind::invalid_params) << params;
    EXPECT_EQ(frame.error.message, says);
    EXPECT_EQ(std::get<std::int64_t>(frame.id), 1);
  }
}

TEST(Request, IsRefusedWhenItIsNone) {
  const std::vector<std::pair<std::string, ErrorKind>> cases{
      {"", ErrorKind::parse_error},
      {"{", ErrorKind::parse_error},
      {"nonsense", ErrorKind::parse_error},
      {"{\"id\":\"\xff\"}", ErrorKind::parse_error},
      {R"({"jsonrpc":"2.0","id":1,"method":"\ud800"})", ErrorKind::parse_error},
      {R"({"jsonrpc":"2.0","id":1e999,"method":"ping"})", ErrorKind::parse_error},
      {"[]", ErrorKind::invalid_request},
      {R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])", ErrorKind::invalid_request},
      {"7", ErrorKind::invalid_request},
      {"null", ErrorKind::invalid_request},
      {"{}", ErrorKind::invalid_request},
      {R"({"id":1,"method":"ping"})", ErrorKind::invalid_request},
      {R"({"jsonrpc":"1.0","id":1,"method":"ping"})", ErrorKind::invalid_request},
      {R"({"jsonrpc":2.0,"id":1,"method":"ping"})", ErrorKind::invalid_request},
      {R"({"jsonrpc":"2.0","id":1})", ErrorKind::invalid_request},
      {R"({"jsonrpc":"2.0","id":1,"result":{}})", ErrorKind::invalid_request},
      {R"({"jsonrpc":"2.0","id":1,"method":["ping"]})", ErrorKind::invalid_request},
      {R"({"jsonrpc":"2.0","method":"ping"})", ErrorKind::invalid_request},
      {R"({"jsonrpc":"2.0","id":null,"method":"ping"})", ErrorKind::invalid_request},
      {R"({"jsonrpc":"2.0","id":1.5,"method":"ping"})", ErrorKind::invalid_request},
      {R"({"jsonrpc":"2.0","id":18446744073709551615,"method":"ping"})", ErrorKind::invalid_request},
      {R"({"jsonrpc":"2.0","id":{},"method":"ping"})", ErrorKind::invalid_request},
      {R"({"jsonrpc":"2.0","id":1,"method":"slot.steal"})", ErrorKind::unknown_method},
      {R"({"jsonrpc":"2.0","id":1,"method":"$/cancel","params":{"id":1}})", ErrorKind::invalid_request},
      {R"({"jsonrpc":"2.0","method":"$/cancel"})", ErrorKind::invalid_params},
      {R"({"jsonrpc":"2.0","method":"$/cancel","params":[1]})", ErrorKind::invalid_params},
      {R"({"jsonrpc":"2.0","method":"$/cancel","params":{"id":null}})", ErrorKind::invalid_params},
      {std::string(500'000, '['), ErrorKind::invalid_request},
      {"{\"id\":\"" + std::string(kMaxString + 1, 'a') + "\"}", ErrorKind::invalid_request},
  };
  for (const auto& [line, kind] : cases) EXPECT_EQ(bad(line).error.kind, kind) << line.substr(0, 80);
}

TEST(Cancel, CarriesTheIdOfTheRequest) {
  for (const WireId& id : {WireId{std::int64_t{7}}, WireId{std::string("seven")}}) {
    const auto decoded = decode_client_frame(encode_cancel(id));
    EXPECT_EQ(std::get<CancelFrame>(std::get<ClientFrame>(decoded)).target, id);
  }
}

TEST(Answer, MakesTextOfBytesThatAreNone) {
  const auto line = encode_answer(std::string("\xff"), SlotPathResult{"/a\xfe\nb"});
  EXPECT_EQ(line, "{\"jsonrpc\":\"2.0\",\"id\":\"\xEF\xBF\xBD\",\"result\":{\"path\":\"/a\xEF\xBF\xBD\\nb\"}}");
}

TEST(Answer, KeepsTheEndOfWhatGitSaid) {
  Error error(ErrorKind::git_failed, "m");
  error.git = GitDetails{{"git"}, 1, std::string(5000, 'a') + "end"};
  const auto decoded = decode_daemon_frame(encode_answer(std::int64_t{1}, error));
  const auto& back = std::get<Error>(std::get<AnswerFrame>(decoded).outcome);
  EXPECT_EQ(back.git->stderr_tail.size(), 4096U);
  EXPECT_TRUE(back.git->stderr_tail.ends_with("end"));
}

TEST(Answer, OfANewerDaemonIsStillUnderstood) {
  const auto decode = [](const std::string& error) {
    const auto frame = decode_daemon_frame(R"({"jsonrpc":"2.0","id":1,"error":)" + error + "}");
    return std::get<Error>(std::get<AnswerFrame>(frame).outcome);
  };
  EXPECT_EQ(decode(R"({"code":999,"message":"m","data":{"kind":"brand_new","retryable":true,"x":1}})").kind,
            ErrorKind::internal);
  EXPECT_EQ(decode(R"({"code":4,"message":"m"})").kind, ErrorKind::at_capacity);
  EXPECT_EQ(decode_result<SlotPathResult>(R"({"path":"/p","more":{}})").path, "/p");
  EXPECT_TRUE(decode_result<ReleaseResult>(R"({"already":true})").already);
  try {
    (void)decode_daemon_frame(R"({"jsonrpc":"2.0","method":"brand_new","params":{}})");
    FAIL() << "an unknown notification was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind, ErrorKind::unknown_method);
  }
}

TEST(Answer, OfAWrongShapeIsAnInvalidRequest) {
  const auto kind_of = [](auto&& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.kind;
    }
    return ErrorKind::internal;
  };
  for (const std::string text : {"", "[]", "{}", "7", R"({"path":7})", R"({"path":null})", "[[["}) {
    EXPECT_EQ(kind_of([&] { (void)decode_result<SlotPathResult>(text); }), ErrorKind::invalid_request) << text;
  }
  for (const std::string text : {"{}", "[7]", "[{}]", "null"}) {
    EXPECT_EQ(kind_of([&] { (void)decode_result<SlotListResult>(text); }), ErrorKind::invalid_request) << text;
  }
  for (const std::string text :
       {R"({"jsonrpc":"2.0","id":1})", R"({"jsonrpc":"2.0","id":1,"result":{},"error":{}})",
        R"({"jsonrpc":"2.0","id":1,"error":[]})", R"({"jsonrpc":"2.0","method":"event","params":{}})"}) {
    EXPECT_EQ(kind_of([&] { (void)decode_daemon_frame(text); }), ErrorKind::invalid_request) << text;
  }
}

TEST(Answer, OfDiscoverIsTheDocumentOnOneLine) {
  const auto line = encode_answer(std::int64_t{1}, DiscoverResult{});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(line).at("result"), nlohmann::json::parse(openrpc_document()));
  EXPECT_NO_THROW(
      (void)decode_result<DiscoverResult>(std::get<std::string>(std::get<AnswerFrame>(decode_daemon_frame(line)).outcome)));
}

TEST(JsonText, IsTheWiresResultWithEveryKey) {
  EXPECT_EQ(to_json_text(SlotListResult{}), "[]");
  EXPECT_EQ(to_json_text(EmptyResult{}), "{}");
  EXPECT_EQ(to_json_text(SlotListResult{{SlotInfo{}}}),
            R"([{"pool":"","slot":"","group":null,"path":"","state":"fresh","name":null,"branch":null,"full_sha":null,)"
            R"("started_at":null,"held_seconds":null,"sealed":false,"reason":null,"lease":null,"git":null,"sessions":null}])");
  EXPECT_EQ(to_json_text(DoctorResult{true, {{"git", "ok", "2.39", {}}}}),
            R"({"ok":true,"checks":[{"name":"git","status":"ok","detail":"2.39","hint":null}]})");
}

TEST(Time, IsWrittenInUtcToTheSecond) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(1777952096), "2026-05-05T03:34:56Z");
  EXPECT_EQ(rfc3339(951782400), "2000-02-29T00:00:00Z");
  EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59Z");
  EXPECT_EQ(rfc3339(std::numeric_limits<std::int64_t>::max()), "9999-12-31T23:59:59Z");
  EXPECT_EQ(rfc3339(std::numeric_limits<std::int64_t>::min()), "0000-01-01T00:00:00Z");
}

TEST(Garbage, NeverCrashesADecoder) {
  std::mt19937 random(4711);
  const std::vector<std::string> seeds{
      request("slot.acquire", R"({"name":"x","exclude_submodule_tags":["a"],"wait_ms":7,"lease_kind":"process"})"),
      R"({"jsonrpc":"2.0","id":1,"error":{"code":20,"message":"m","data":{"kind":"git_failed","git":{"argv":["git"],"exit_code":1,"stderr_tail":""}}}})",
      encode_notification(EventNote{}), R"({"jsonrpc":"2.0","method":"$/cancel","params":{"id":1}})"};
  std::size_t refused = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string line;
    if (round % 4 == 0) {
      line.resize(random() % 40);
      for (char& c : line) c = static_cast<char>(random());
    } else {
      line = seeds[random() % seeds.size()];
      for (auto edits = 1 + random() % 4; edits > 0 && !line.empty(); --edits) {
        const std::size_t at = random() % line.size();
        switch (random() % 3) {
          case 0:
            line[at] = static_cast<char>(random());
            break;
          case 1:
            line.erase(at, 1 + random() % 9);
            break;
          default:
            line.insert(at, 1, R"({}[]":,0-e\nu)"[random() % 13]);
            break;
        }
      }
    }
    refused += std::holds_alternative<BadFrame>(decode_client_frame(line));
    try {
      (void)decode_daemon_frame(line);
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 200'000U);
}

}  // namespace
}  // namespace wtpool::proto
