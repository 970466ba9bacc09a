#include <gtest/gtest.h>

#include "tests/support/wire.hpp"
#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Protocol : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo, {"--max-slots", "4"});
  }
  void expect_error(const json& answer, int code) {
    ASSERT_TRUE(answer.is_object()) << answer;
    ASSERT_TRUE(answer.contains("error")) << answer;
    EXPECT_EQ(answer["error"]["code"], code) << answer;
    EXPECT_TRUE(answer["error"]["message"].is_string());
    EXPECT_TRUE(answer["error"]["data"]["kind"].is_string()) << answer;
    EXPECT_FALSE(answer.contains("result"));
  }
  json answer_to(const std::string& line) {
    Wire wire(world.socket());
    wire.send(line + "\n");
    return wire.read();
  }
  void expect_others_are_served() {
    Wire wire(world.socket());
    EXPECT_TRUE(wire.call("ping").contains("result"));
  }
  World world;
  Repo repo = world.make_repo();
};

TEST_F(Protocol, AHalfClosedConnectionStillGetsItsAnswers) {
  Wire wire(world.socket());
  wire.send(request(1, "ping") + request(2, "slot.list", {{"pool", "app"}}) + request(3, "pool.list"));
  wire.half_close();
  std::map<int, json> answers;
  while (const auto line = wire.read_line()) {
    const auto answer = json::parse(*line);
    EXPECT_EQ(answer["jsonrpc"], "2.0");
    answers[answer["id"].get<int>()] = answer;
  }
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[2]["result"].size(), 4u);
  EXPECT_EQ(answers[3]["result"][0]["pool"], "app");
}

TEST_F(Protocol, ABadRequestTakesNoOthersPlaceInFlight) {
  Wire holder(world.socket());
  for (int i = 0; i < 4; ++i)
    EXPECT_TRUE(holder.call("slot.acquire", {{"pool", "app"}, {"name", "h" + std::to_string(i)}}).contains("result"));
  Wire wire(world.socket());
  wire.send(request(1, "slot.acquire", {{"pool", "app"}, {"name", "w"}, {"wait_ms", 0}}) + request(2, "no.such"));
  wire.half_close();
  EXPECT_EQ(wire.read()["id"], 2);
  EXPECT_TRUE(holder.call("slot.release", {{"pool", "app"}, {"target", "h0"}}).contains("result"));
  const auto answer = wire.read();
  ASSERT_TRUE(answer.is_object()) << "the connection was closed before its acquire was answered";
  EXPECT_EQ(answer["id"], 1);
  EXPECT_TRUE(answer.contains("result")) << answer;
}

TEST_F(Protocol, IsSpokenByNetcat) {
  const auto outcome = run({.argv = {"nc", "-N", "-U", world.socket().string()},
                            .environment = world.environment,
                            .input = request(1, "slot.list", {{"pool", "app"}})});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(json::parse(outcome.out)["result"].size(), 4u);
}

TEST_F(Protocol, DiscoverIsTheDocumentInTheSourceTree) {
  Wire wire(world.socket());
  const auto document = json::parse(read_text(fs::path(WTPOOL_SOURCE_DIR) / "proto/wtpool.openrpc.json"));
  EXPECT_EQ(wire.call("rpc.discover")["result"], document);
  std::vector<std::string> methods;
  for (const auto& method : document["methods"]) methods.push_back(method["name"]);
  for (const auto* name : {"hello", "ping", "rpc.discover", "pool.init", "pool.list", "slot.acquire", "slot.confirm",
                           "slot.release", "slot.list", "slot.inspect", "slot.path", "slot.repair", "pool.remove",
                           "slot.remove", "host.status", "host.doctor", "host.shutdown"}) {
    EXPECT_NE(std::find(methods.begin(), methods.end(), name), methods.end()) << name;
  }
}

TEST_F(Protocol, HelloSaysWhoItIsAndItsLimits) {
  Wire wire(world.socket());
  const auto result = wire.call("hello", {{"protocol", 1}, {"client", "test/1"}})["result"];
  EXPECT_EQ(keys_of(result), (std::vector<std::string>{"features", "instance_id", "limits", "protocol", "server"}));
  EXPECT_EQ(result["protocol"], 1);
  EXPECT_FALSE(result["limits"].empty());
}

TEST_F(Protocol, IdsComeBackAsTheyWere) {
  Wire wire(world.socket());
  for (const auto* id : {"7", "\"seven\"", "\"\"", "-1", "9007199254740993"}) {
    wire.send(R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"method":"ping"})" + "\n");
    EXPECT_EQ(wire.read()["id"], json::parse(id));
  }
}

TEST_F(Protocol, AFrameMayComeByteByByteAndManyInOnePiece) {
  Wire wire(world.socket());
  for (const char byte : request(1, "ping")) wire.send(std::string(1, byte));
  EXPECT_EQ(wire.read()["id"], 1);
  std::string many;
  for (int id = 0; id < 50; ++id) many += "\r\n" + request(id, "ping");
  wire.send(many);
  std::set<int> seen;
  for (int count = 0; count < 50; ++count) seen.insert(wire.read()["id"].get<int>());
  EXPECT_EQ(seen.size(), 50u);
}

TEST_F(Protocol, UnknownFieldsAreIgnored) {
  Wire wire(world.socket());
  EXPECT_TRUE(wire.call("slot.list", {{"pool", "app"}, {"of_a_later_version", {1, 2}}}).contains("result"));
}

TEST_F(Protocol, WhatIsNoRequestIsAnsweredWithAnError) {
  expect_error(answer_to("{"), -32700);
  expect_error(answer_to("not json"), -32700);
  expect_error(answer_to("\xff\xfe{}"), -32700);
  expect_error(answer_to(R"({"jsonrpc":"2.0","id":1,"method":"ping"} trailing)"), -32700);
  expect_error(answer_to("{}"), -32600);
  expect_error(answer_to("[]"), -32600);
  expect_error(answer_to("3"), -32600);
  expect_error(answer_to(R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])"), -32600);
  expect_error(answer_to(R"({"jsonrpc":"1.0","id":1,"method":"ping"})"), -32600);
  expect_error(answer_to(R"({"jsonrpc":"2.0","id":1})"), -32600);
  expect_error(answer_to(R"({"jsonrpc":"2.0","id":1,"method":"no.such"})"), -32601);
  expect_error(answer_to(R"({"jsonrpc":"2.0","id":1,"method":"slot.list","params":["app"]})"), -32602);
  expect_error(answer_to(R"({"jsonrpc":"2.0","id":1,"method":"slot.acquire","params":{"pool":"app"}})"), -32602);
  expect_error(answer_to(R"({"jsonrpc":"2.0","id":1,"method":"slot.acquire","params":{"pool":"app","name":7}})"), -32602);
  expect_others_are_served();
}

TEST_F(Protocol, BadParamsNameTheField) {
  const auto answer =
      answer_to(R"({"jsonrpc":"2.0","id":5,"method":"slot.acquire","params":{"pool":"app","name":"x","unique_sha":"yes"}})");
  expect_error(answer, -32602);
  EXPECT_EQ(answer["id"], 5);
  EXPECT_NE(answer["error"]["message"].get<std::string>().find("unique_sha"), std::string::npos) << answer;
}

TEST_F(Protocol, DomainErrorsHaveTheExitCodeAndAKind) {
  Wire wire(world.socket());
  ASSERT_TRUE(wire.call("slot.acquire", {{"pool", "app"}, {"name", "x"}}).contains("result"));
  const auto held = wire.call("slot.acquire", {{"pool", "app"}, {"name", "x"}});
  expect_error(held, 6);
  EXPECT_EQ(held["error"]["data"]["kind"], "name_held");
  EXPECT_TRUE(held["error"]["data"]["retryable"].is_boolean());
  expect_error(wire.call("slot.acquire", {{"pool", "app"}, {"name", "main"}}), 9);
  expect_error(wire.call("slot.acquire", {{"pool", "app"}, {"name", "a..b"}}), 10);
}

TEST_F(Protocol, AFrameOfTheLimitIsReadAndOneByteMoreIsNot) {
  const std::string head = R"({"jsonrpc":"2.0","id":1,)", tail = R"("method":"ping"})";
  const std::size_t limit = 1024 * 1024;
  {
    Wire wire(world.socket());
    wire.send(head + std::string(limit - head.size() - tail.size(), ' ') + tail + "\n");
    EXPECT_TRUE(wire.read().contains("result"));
  }
  Wire wire(world.socket());
  wire.send(head + std::string(limit + 1 - head.size() - tail.size(), ' ') + tail + "\n");
  const auto answer = wire.read();
  EXPECT_TRUE(answer.is_discarded() || answer.contains("error"));
  EXPECT_TRUE(wire.at_end());
  expect_others_are_served();
}

TEST_F(Protocol, ALineThatNeverEndsIsCutOff) {
  Wire wire(world.socket());
  const std::string block(1 << 20, '[');
  bool open = true;
  for (int count = 0; count < 64 && open; ++count) open = wire.send(block);
  EXPECT_FALSE(open) << "64 MiB were taken";
  expect_others_are_served();
}

TEST_F(Protocol, NestingAndStringsHaveLimits) {
  const auto nested = [](int depth) {  // the frame and params are two of them
    return R"({"jsonrpc":"2.0","id":1,"method":"ping","params":{"deep":)" +
           std::string(static_cast<std::size_t>(depth - 2), '[') + std::string(static_cast<std::size_t>(depth - 2), ']') + "}}";
  };
  EXPECT_TRUE(answer_to(nested(32)).contains("result"));
  EXPECT_TRUE(answer_to(nested(33)).contains("error"));
  const auto text = [](std::size_t size) {
    return R"({"jsonrpc":"2.0","id":1,"method":"ping","params":{"long":")" + std::string(size, 'a') + "\"}}";
  };
  EXPECT_TRUE(answer_to(text(64 * 1024)).contains("result"));
  EXPECT_TRUE(answer_to(text(64 * 1024 + 1)).contains("error"));
}

TEST_F(Protocol, AnUnconfirmedAcquireIsRolledBackWhenItsClientGoes) {
  {
    Wire wire(world.socket());
    const auto answer = wire.call("slot.acquire", {{"pool", "app"}, {"name", "x"}, {"confirm", true}});
    ASSERT_TRUE(answer.contains("result")) << answer;
    EXPECT_EQ(world.state_of("slot-0"), "held");
  }
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_FALSE(repo.has_branch("x"));
  {
    Wire wire(world.socket());
    const auto answer = wire.call("slot.acquire", {{"pool", "app"}, {"name", "x"}, {"confirm", true}});
    EXPECT_TRUE(wire.call("slot.confirm", {{"lease_id", answer["result"]["lease_id"]}}).contains("result"));
  }
  expect_others_are_served();
  EXPECT_EQ(world.state_of("slot-0"), "held");
}

TEST_F(Protocol, CancelOfNothingIsNoTrouble) {
  Wire wire(world.socket());
  wire.send(R"({"jsonrpc":"2.0","method":"$/cancel","params":{"id":99}})"
            "\n");
  EXPECT_TRUE(wire.call("ping").contains("result"));
}

TEST_F(Protocol, ManyIdleConnectionsHarmNobody) {
  std::vector<std::unique_ptr<Wire>> idle;
  for (int count = 0; count < 300; ++count) {
    idle.push_back(std::make_unique<Wire>(world.socket()));
    idle.back()->send("{\"half a fra");
  }
  expect_others_are_served();
  EXPECT_GE(world.json_of({"status"})["clients"].get<int>(), 300);
  idle.clear();
  EXPECT_TRUE(wait_until([&] { return world.json_of({"status"})["clients"].get<int>() < 10; }));
}

TEST_F(Protocol, AReaderThatNeverReadsHarmsNobody) {
  Wire deaf(world.socket());
  std::string many;
  for (int id = 0; id < 200; ++id) many += request(id, "rpc.discover");
  for (int count = 0; count < 3; ++count) deaf.send(many);
  expect_others_are_served();
  world.acquire("x");
}

TEST_F(Protocol, ShutdownAnswersAndEnds) {
  Wire wire(world.socket());
  EXPECT_TRUE(wire.call("host.shutdown").contains("result"));
  EXPECT_EQ(world.daemon().wait(25s).code, 0);
}

}  // namespace
}  // namespace wtpool::test
