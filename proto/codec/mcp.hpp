// The Model Context Protocol as a server of tools needs it: one JSON-RPC message a line. Two ways of speaking it stand beside
// each other: with a handshake (2024-11-05 to 2025-11-25), and without one, each request naming its revision (2026-07-28).
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proto/codec/codec.hpp"

namespace wtpool::proto {

// The arguments that tools take; each takes some of them.
struct McpArguments {
  std::optional<std::string> name, commit, pool, wait, into, style, message, id;
};
struct McpRequest {
  WireId id;  // none: a notification
  std::string method;
  bool stateless = false;              // it names its revision itself
  std::optional<std::string> version;  // that, or what `initialize` asks for
  std::string tool;
  McpArguments arguments;
  WireId cancels;  // of notifications/cancelled
};
// What is no request is answered as JSON-RPC says: the line to write.
[[nodiscard]] std::variant<McpRequest, std::string> read_mcp(std::string_view line);
// The answer to a revision, a tool or arguments that there are not; nothing when the request can be served.
[[nodiscard]] std::optional<std::string> refuse_mcp(const McpRequest& request, bool can_land);

[[nodiscard]] std::string mcp_initialized(const McpRequest& request, std::string_view server_version);
[[nodiscard]] std::string mcp_discovered(const McpRequest& request, std::string_view server_version);
[[nodiscard]] std::string mcp_pong(const McpRequest& request);
// `can_land`: this build has the verb that land_worktree runs.
[[nodiscard]] std::string mcp_tools(const McpRequest& request, bool can_land);
[[nodiscard]] std::string mcp_no_such_method(const McpRequest& request);

// What a tool brought: a JSON value as text (an array becomes `worktrees`), or plain text under `key`.
[[nodiscard]] std::string mcp_result(const McpRequest& request, std::string_view json_text);
[[nodiscard]] std::string mcp_text_result(const McpRequest& request, std::string_view key, std::string_view text);
[[nodiscard]] std::string mcp_failure(const McpRequest& request, const Error& error);

// How a child process hands an error to the server, as one line.
[[nodiscard]] std::string pack_error(const Error& error);
[[nodiscard]] Error unpack_error(std::string_view text);

}  // namespace wtpool::proto
