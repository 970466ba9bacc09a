// What coding agents say on stdin of a hook, and the settings file in which Claude Code is told of those hooks. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wtpool::proto {

struct AgentCreate {
  std::string name;  // as the agent calls it
  std::optional<std::string> cwd;
  std::optional<std::string> session_id;
};
struct AgentRemove {
  std::optional<std::string> worktree_path;
  std::optional<std::string> cwd;
  std::optional<std::string> session_id;
};
// Throw invalid_params.
[[nodiscard]] AgentCreate read_agent_create(std::string_view json_text);
[[nodiscard]] AgentRemove read_agent_remove(std::string_view json_text);

// A name that a branch can have: what git takes no such character of becomes `-`.
[[nodiscard]] std::string branch_for(std::string_view name);
// The key of a lease that `agent create` makes, and the beginning of all keys of a session, or of any.
[[nodiscard]] std::string agent_key(const std::optional<std::string>& session_id, std::string_view name);
[[nodiscard]] std::string agent_key_prefix(const std::optional<std::string>& session_id);

// The settings with the hooks that make and take worktrees by these commands, or without them; every other key stays, in its
// order. An empty text is an empty file. Throws bad_config when it is no JSON object, or `hooks` in it no such table.
struct AgentHooks {
  std::string create;
  std::string remove;
};
[[nodiscard]] std::string settings_with(std::string_view text, const AgentHooks& hooks);
[[nodiscard]] std::string settings_without(std::string_view text, const AgentHooks& hooks);

}  // namespace wtpool::proto
