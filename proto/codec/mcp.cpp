#include "proto/codec/mcp.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "proto/codec/splitter.hpp"
#include "proto/errors.hpp"

namespace wtpool::proto {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kHandshake{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"};
constexpr const char* kStateless = "2026-07-28";
constexpr const char* kVersionKey = "io.modelcontextprotocol/protocolVersion";
constexpr int kParseError = -32700, kInvalidRequest = -32600, kNoMethod = -32601, kInvalidParams = -32602;
constexpr int kUnsupportedVersion = -32022;
constexpr int kListLastsMs = 3'600'000;  // the tools of a build do not change

struct Argument {
  const char* name;
  const char* meaning;
  bool required;
  std::optional<std::string> McpArguments::*member;
};
struct Tool {
  const char* name;
  const char* does;
  bool reads;
  std::vector<Argument> arguments;
};

const std::vector<Tool>& tools() {
  const Argument pool{"pool", "The pool's key; needed only where there are several", false, &McpArguments::pool};
  const Argument name{"name", "What the worktree is acquired as, which is its branch too", true, &McpArguments::name};
  static const std::vector<Tool> table{
      {"acquire_worktree",
       "Take a warm worktree on a new branch; the result's `path` is where to work. It is yours until it is released",
       false,
       {name,
        {"commit", "Where the branch begins; default: the pool's default commit", false, &McpArguments::commit},
        pool,
        {"wait", "How long to wait for a free worktree, such as 10m; default: not at all", false, &McpArguments::wait}}},
      {"release_worktree",
       "Give a worktree back. Commits and changes that are nowhere else are kept in the trash",
       false,
       {name, pool}},
      {"list_worktrees", "All worktrees: who has which, and how the work in them stands to its target", true, {pool}},
      {"diff_worktree",
       "What the work in a worktree changes, committed or not, from where its branch left the target",
       true,
       {name, pool}},
      {"land_worktree",
       "Bring the commits of a worktree into the target branch, tested as the pool asks",
       false,
       {name,
        pool,
        {"into", "The target branch; default: the pool's", false, &McpArguments::into},
        {"style", "merge, no-ff, squash or rebase; default: the pool's", false, &McpArguments::style},
        {"message", "Commits what is not committed under this message first", false, &McpArguments::message}}},
      {"restore_work",
       "Make a branch of work that a release kept",
       false,
       {{"id", "The ID of the trash entry", true, &McpArguments::id}, pool}},
  };
  return table;
}

const Tool* find_tool(const std::string& name, bool can_land) {
  const auto found = std::ranges::find_if(tools(), [&name](const Tool& tool) { return tool.name == name; });
  if (found == tools().end() || (!can_land && name == "land_worktree")) return nullptr;
  return &*found;
}

Json id_of(const WireId& id) {
  if (const auto* number = std::get_if<std::int64_t>(&id)) return *number;
  if (const auto* text = std::get_if<std::string>(&id)) return *text;
  return nullptr;
}

WireId id_in(const Json& value) {
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_string()) return value.get<std::string>();
  return std::monostate{};
}

std::string line(const Json& message) { return message.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string error_line(const WireId& id, int code, const std::string& message, Json data = nullptr) {
  Json error{{"code", code}, {"message", message}};
  if (!data.is_null()) error["data"] = std::move(data);
  return line({{"jsonrpc", "2.0"}, {"id", id_of(id)}, {"error", std::move(error)}});
}

std::string result_line(const McpRequest& request, Json result) {
  if (request.stateless) {
    Json typed{{"resultType", "complete"}};
    typed.update(result);
    result = std::move(typed);
  }
  return line({{"jsonrpc", "2.0"}, {"id", id_of(request.id)}, {"result", std::move(result)}});
}

Json server_info(std::string_view version) { return {{"name", "wtpool"}, {"version", std::string(version)}}; }

constexpr const char* kInstructions =
    "Worktrees of a repository, ready to work in. Acquire one under a name, work and commit in its path, then release it; "
    "nothing is "
    "lost by a release.";

std::optional<std::string> text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? std::optional(found->get<std::string>()) : std::nullopt;
}

void read_params(const Json& params, McpRequest& request) {
  if (const auto meta = params.find("_meta"); meta != params.end() && meta->is_object()) {
    if (auto version = text_at(*meta, kVersionKey)) {
      request.version = std::move(version);
      request.stateless = true;
    }
  }
  if (!request.stateless) request.version = text_at(params, "protocolVersion");
  request.tool = text_at(params, "name").value_or("");
  if (const auto id = params.find("requestId"); id != params.end()) request.cancels = id_in(*id);
  const auto arguments = params.find("arguments");
  if (arguments == params.end() || !arguments->is_object()) return;
  for (const Tool& tool : tools()) {
    for (const Argument& argument : tool.arguments) {
      if (auto text = text_at(*arguments, argument.name)) request.arguments.*argument.member = std::move(text);
    }
  }
}

Json schema_of(const Tool& tool) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const Argument& argument : tool.arguments) {
    properties[argument.name] = {{"type", "string"}, {"description", argument.meaning}};
    if (argument.required) required.push_back(argument.name);
  }
  Json schema{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

Json brought(Json structured, const std::string& text) {
  return {{"content", Json::array({{{"type", "text"}, {"text", text}}})}, {"structuredContent", std::move(structured)}};
}

}  // namespace

std::variant<McpRequest, std::string> read_mcp(std::string_view text) {
  if (const auto excess = exceeds_limits(text)) return error_line({}, kInvalidRequest, *excess);
  const auto message = Json::parse(text, nullptr, false);
  if (message.is_discarded()) return error_line({}, kParseError, "this line is no JSON");
  McpRequest request;
  if (message.is_object() && message.contains("id")) request.id = id_in(message.at("id"));
  const auto method = message.is_object() ? text_at(message, "method") : std::nullopt;
  if (!method) return error_line(request.id, kInvalidRequest, "a request has a `method`");
  request.method = *method;
  const auto params = message.find("params");
  if (params != message.end() && params->is_object()) read_params(*params, request);
  return request;
}

std::optional<std::string> refuse_mcp(const McpRequest& request, bool can_land) {
  if (request.stateless && request.version != kStateless) {
    Json supported = Json::array({kStateless});
    for (const auto* version : kHandshake) supported.push_back(version);
    return error_line(request.id, kUnsupportedVersion, "Unsupported protocol version",
                      {{"supported", std::move(supported)}, {"requested", request.version.value_or("")}});
  }
  if (request.method != "tools/call") return std::nullopt;
  const Tool* tool = find_tool(request.tool, can_land);
  if (tool == nullptr) return error_line(request.id, kInvalidParams, "Unknown tool: " + request.tool);
  for (const Argument& argument : tool->arguments) {
    if (argument.required && !(request.arguments.*argument.member))
      return error_line(request.id, kInvalidParams, request.tool + " takes `" + argument.name + "`, a text");
  }
  return std::nullopt;
}

std::string mcp_initialized(const McpRequest& request, std::string_view server_version) {
  // Of a revision that is not known here the newest with a handshake is offered; the client leaves if it cannot do with that.
  const bool known = request.version && std::ranges::find(kHandshake, *request.version) != kHandshake.end();
  return result_line(request, {{"protocolVersion", known ? *request.version : std::string(kHandshake.back())},
                               {"capabilities", {{"tools", Json::object()}}},
                               {"serverInfo", server_info(server_version)},
                               {"instructions", kInstructions}});
}

std::string mcp_discovered(const McpRequest& request, std::string_view server_version) {
  return result_line(request, {{"supportedVersions", Json::array({kStateless})},
                               {"capabilities", {{"tools", Json::object()}}},
                               {"serverInfo", server_info(server_version)},
                               {"instructions", kInstructions},
                               {"ttlMs", kListLastsMs},
                               {"cacheScope", "public"}});
}

std::string mcp_pong(const McpRequest& request) { return result_line(request, Json::object()); }

std::string mcp_tools(const McpRequest& request, bool can_land) {
  Json list = Json::array();
  for (const Tool& tool : tools()) {
    if (find_tool(tool.name, can_land) == nullptr) continue;
    list.push_back({{"name", tool.name},
                    {"description", tool.does},
                    {"inputSchema", schema_of(tool)},
                    {"annotations", {{"readOnlyHint", tool.reads}, {"destructiveHint", false}}}});
  }
  Json result{{"tools", std::move(list)}};
  if (request.stateless) result.update({{"ttlMs", kListLastsMs}, {"cacheScope", "public"}});
  return result_line(request, std::move(result));
}

std::string mcp_no_such_method(const McpRequest& request) {
  return error_line(request.id, kNoMethod, "Method not found: " + request.method);
}

std::string mcp_result(const McpRequest& request, std::string_view json_text) {
  auto value = Json::parse(json_text, nullptr, false);
  if (value.is_discarded() || value.is_null()) value = Json::object();
  if (value.is_array()) value = Json{{"worktrees", std::move(value)}};
  const auto text = line(value);
  return result_line(request, brought(std::move(value), text));
}

std::string mcp_text_result(const McpRequest& request, std::string_view key, std::string_view text) {
  return result_line(request, brought({{std::string(key), std::string(text)}}, std::string(text)));
}

std::string mcp_failure(const McpRequest& request, const Error& error) {
  Json structured{{"kind", info(error.kind).name}, {"message", error.message}};
  structured["hint"] = error.hint.empty() ? Json(nullptr) : Json(error.hint);
  auto result = brought(std::move(structured), error.message + (error.hint.empty() ? "" : "\nhint: " + error.hint));
  result["isError"] = true;
  return result_line(request, std::move(result));
}

std::string pack_error(const Error& error) {
  return line({{"kind", info(error.kind).name}, {"message", error.message}, {"hint", error.hint}});
}

Error unpack_error(std::string_view text) {
  const auto value = Json::parse(text, nullptr, false);
  Error error(ErrorKind::internal, "the tool ended without an answer");
  if (!value.is_object()) return error;
  for (const ErrorInfo& row : error_table()) {
    if (row.name == text_at(value, "kind").value_or("")) error.kind = row.kind;
  }
  error.message = text_at(value, "message").value_or(error.message);
  error.hint = text_at(value, "hint").value_or("");
  return error;
}

}  // namespace wtpool::proto
