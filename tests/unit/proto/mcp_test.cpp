// What clients of three revisions say first, and what they are answered.
#include "proto/codec/mcp.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "proto/errors.hpp"

namespace wtpool::proto {
namespace {

using Json = nlohmann::json;

McpRequest request(const std::string& line) {
  auto read = read_mcp(line);
  EXPECT_TRUE(std::holds_alternative<McpRequest>(read)) << line;
  return std::get<McpRequest>(read);
}
std::string stateless(const std::string& method, const std::string& version, const std::string& more = "") {
  return R"({"jsonrpc":"2.0","id":"a","method":")" + method +
         R"(","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":")" + version +
         R"(","io.modelcontextprotocol/clientCapabilities":{}})" + more + "}}";
}

TEST(Mcp, AnswersAHandshakeInItsOwnRevision) {
  for (const char* version : {"2024-11-05", "2025-06-18", "2025-11-25"}) {
    const auto asked = request(std::string(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":")") +
                               version + R"(","capabilities":{},"clientInfo":{"name":"c","version":"1"}}})");
    EXPECT_EQ(refuse_mcp(asked, true), std::nullopt);
    const auto answer = Json::parse(mcp_initialized(asked, "0.1"));
    EXPECT_EQ(answer["id"], 0);
    EXPECT_EQ(answer["result"]["protocolVersion"], version);
    EXPECT_TRUE(answer["result"]["capabilities"].contains("tools"));
    EXPECT_FALSE(answer["result"].contains("resultType"));
  }
  const auto unknown = request(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"1999-01-01"}})");
  EXPECT_EQ(Json::parse(mcp_initialized(unknown, "0.1"))["result"]["protocolVersion"], "2025-11-25");
}

TEST(Mcp, AnswersWithoutAHandshakeWhoNamesHisRevision) {
  const auto asked = request(stateless("server/discover", "2026-07-28"));
  EXPECT_TRUE(asked.stateless);
  EXPECT_EQ(refuse_mcp(asked, true), std::nullopt);
  const auto result = Json::parse(mcp_discovered(asked, "0.1"))["result"];
  EXPECT_EQ(result["resultType"], "complete");
  EXPECT_EQ(result["supportedVersions"], Json::array({"2026-07-28"}));
  EXPECT_EQ(result["serverInfo"]["name"], "wtpool");
  EXPECT_TRUE(result["ttlMs"].is_number());
  EXPECT_EQ(result["cacheScope"], "public");
  const auto list = Json::parse(mcp_tools(request(stateless("tools/list", "2026-07-28")), true))["result"];
  EXPECT_EQ(list["resultType"], "complete");
  EXPECT_TRUE(list.contains("ttlMs"));
}

TEST(Mcp, RefusesARevisionThatItDoesNotSpeak) {
  const auto refusal = refuse_mcp(request(stateless("tools/list", "2031-01-01")), true);
  ASSERT_TRUE(refusal);
  const auto error = Json::parse(*refusal)["error"];
  EXPECT_EQ(error["code"], -32022);
  EXPECT_EQ(error["data"]["requested"], "2031-01-01");
  EXPECT_EQ(error["data"]["supported"][0], "2026-07-28");
}

TEST(Mcp, ListsToolsWithSchemas) {
  const auto asked = request(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})");
  const auto tools = Json::parse(mcp_tools(asked, true))["result"]["tools"];
  ASSERT_EQ(tools.size(), 6u);
  EXPECT_EQ(tools[0]["name"], "acquire_worktree");
  EXPECT_EQ(tools[0]["inputSchema"]["type"], "object");
  EXPECT_EQ(tools[0]["inputSchema"]["required"], Json::array({"name"}));
  EXPECT_EQ(Json::parse(mcp_tools(asked, false))["result"]["tools"].size(), 5u);
}

TEST(Mcp, ReadsACallAndItsArguments) {
  const auto call = request(
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"acquire_worktree","arguments":{"name":"x","wait":"10m"}}})");
  EXPECT_EQ(call.tool, "acquire_worktree");
  EXPECT_EQ(call.arguments.name, "x");
  EXPECT_EQ(call.arguments.wait, "10m");
  EXPECT_EQ(refuse_mcp(call, true), std::nullopt);
  const auto code = [](const std::string& tool, const std::string& arguments) {
    const auto refusal = refuse_mcp(request(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":")" + tool +
                                            R"(","arguments":)" + arguments + "}}"),
                                    false);
    return refusal ? Json::parse(*refusal)["error"]["code"].get<int>() : 0;
  };
  EXPECT_EQ(code("acquire_worktree", "{}"), -32602);
  EXPECT_EQ(code("acquire_worktree", R"({"name":7})"), -32602);
  EXPECT_EQ(code("no_such_tool", "{}"), -32602);
  EXPECT_EQ(code("land_worktree", R"({"name":"x"})"), -32602);
  EXPECT_EQ(code("list_worktrees", "{}"), 0);
}

TEST(Mcp, AnswersWhatIsNoRequest) {
  const auto code = [](const std::string& line) {
    const auto read = read_mcp(line);
    return Json::parse(std::get<std::string>(read))["error"]["code"].get<int>();
  };
  EXPECT_EQ(code("{"), -32700);
  EXPECT_EQ(code("[]"), -32600);
  EXPECT_EQ(code("{}"), -32600);
  EXPECT_EQ(Json::parse(mcp_no_such_method(request(R"({"id":1,"method":"resources/list"})")))["error"]["code"], -32601);
}

TEST(Mcp, PutsResultsAndFailuresIntoStructuredContent) {
  const auto call = request(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_worktrees"}})");
  EXPECT_EQ(Json::parse(mcp_result(call, R"([{"slot":"slot-0"}])"))["result"]["structuredContent"]["worktrees"][0]["slot"],
            "slot-0");
  EXPECT_EQ(Json::parse(mcp_result(call, R"({"path":"/x"})"))["result"]["structuredContent"]["path"], "/x");
  EXPECT_EQ(Json::parse(mcp_result(call, ""))["result"]["structuredContent"], Json::object());
  const auto failed = Json::parse(
      mcp_failure(call, unpack_error(pack_error(Error(ErrorKind::name_held, "it is held", "wtpool ls")))))["result"];
  EXPECT_EQ(failed["isError"], true);
  EXPECT_EQ(failed["structuredContent"]["kind"], "name_held");
  EXPECT_EQ(failed["structuredContent"]["hint"], "wtpool ls");
  EXPECT_EQ(unpack_error("garbage").kind, ErrorKind::internal);
}

TEST(Mcp, ReadsWhichRequestIsCancelled) {
  const auto note = request(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}})");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(note.id));
  EXPECT_EQ(note.cancels, WireId(std::int64_t{7}));
}

}  // namespace
}  // namespace wtpool::proto
