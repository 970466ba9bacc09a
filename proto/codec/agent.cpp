#include "proto/codec/agent.hpp"

#include <nlohmann/json.hpp>

#include "proto/codec/splitter.hpp"
#include "proto/errors.hpp"

namespace wtpool::proto {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kUnfit = " ~^:?*[\\";
constexpr const char* kCreateEvent = "WorktreeCreate";
constexpr const char* kRemoveEvent = "WorktreeRemove";

Json object_in(std::string_view text) {
  if (const auto excess = exceeds_limits(text))
    throw Error(ErrorKind::invalid_params, "cannot read the agent's request: " + *excess);
  auto value = Json::parse(text, nullptr, false);
  if (!value.is_object())
    throw Error(ErrorKind::invalid_params, "cannot read the agent's request: stdin takes one JSON object");
  return value;
}

// Nothing also where it is no text, or an empty one: agents differ in what they fill in.
std::optional<std::string> text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  auto text = found->get<std::string>();
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

void replace_all(std::string& text, std::string_view what) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) text.replace(at, what.size(), "-");
}

Json settings_in(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return Json::object();
  auto settings = Json::parse(text, nullptr, false);
  if (!settings.is_object()) throw Error(ErrorKind::bad_config, "cannot read the settings: they are no JSON object");
  const auto hooks = settings.find("hooks");
  if (hooks != settings.end() && !hooks->is_object())
    throw Error(ErrorKind::bad_config, "cannot read the settings: `hooks` in them is no object");
  return settings;
}

bool runs(const Json& entry, const std::string& command) {
  const auto text = entry.is_object() ? text_of(entry, "command") : std::nullopt;
  return text == command;
}

// Takes a command out of an event's list; groups that are empty then go along.
void drop(Json& list, const std::string& command) {
  if (!list.is_array()) return;
  Json kept = Json::array();
  for (auto& group : list) {
    if (group.is_object() && group.contains("hooks") && group["hooks"].is_array()) {
      Json entries = Json::array();
      for (auto& entry : group["hooks"]) {
        if (!runs(entry, command)) entries.push_back(entry);
      }
      if (entries.empty() && !group["hooks"].empty()) continue;
      group["hooks"] = std::move(entries);
    }
    kept.push_back(group);
  }
  list = std::move(kept);
}

Json without(Json settings, const AgentHooks& hooks) {
  const auto table = settings.find("hooks");
  if (table == settings.end()) return settings;
  for (const auto& [event, command] : {std::pair{kCreateEvent, &hooks.create}, std::pair{kRemoveEvent, &hooks.remove}}) {
    if (!table->contains(event)) continue;
    drop((*table)[event], *command);
    if ((*table)[event].is_array() && (*table)[event].empty()) table->erase(event);
  }
  if (table->empty()) settings.erase("hooks");
  return settings;
}

bool has(const Json& settings, const char* event, const std::string& command) {
  if (!settings.contains("hooks") || !settings["hooks"].contains(event) || !settings["hooks"][event].is_array()) return false;
  for (const auto& group : settings["hooks"][event]) {
    if (!group.is_object() || !group.contains("hooks") || !group["hooks"].is_array()) continue;
    for (const auto& entry : group["hooks"]) {
      if (runs(entry, command)) return true;
    }
  }
  return false;
}

std::string written(const Json& settings) { return settings.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

AgentCreate read_agent_create(std::string_view json_text) {
  const auto object = object_in(json_text);
  auto name = text_of(object, "name");
  if (!name) name = text_of(object, "worktree_name");
  if (!name) throw Error(ErrorKind::invalid_params, "cannot make a worktree: the agent gave no `name`");
  return {*name, text_of(object, "cwd"), text_of(object, "session_id")};
}

AgentRemove read_agent_remove(std::string_view json_text) {
  const auto object = object_in(json_text);
  return {text_of(object, "worktree_path"), text_of(object, "cwd"), text_of(object, "session_id")};
}

std::string branch_for(std::string_view name) {
  std::string branch(name);
  for (char& each : branch) {
    const auto byte = static_cast<unsigned char>(each);
    if (byte < 0x20 || byte == 0x7f || kUnfit.find(each) != std::string_view::npos) each = '-';
  }
  replace_all(branch, "..");
  replace_all(branch, "@{");
  constexpr std::string_view kLock = ".lock";
  if (branch.ends_with(kLock)) branch.replace(branch.size() - kLock.size(), kLock.size(), "-");
  if (!branch.empty() && (branch.back() == '/' || branch.back() == '.')) branch.back() = '-';
  while (!branch.empty() && branch.front() == '-') branch.erase(0, 1);  // a branch cannot begin with what would replace it
  return branch.empty() ? "agent" : branch;
}

std::string agent_key_prefix(const std::optional<std::string>& session_id) {
  return session_id ? "claude:" + *session_id + ":" : std::string("claude:");
}

std::string agent_key(const std::optional<std::string>& session_id, std::string_view name) {
  return "claude:" + session_id.value_or("") + ":" + std::string(name);
}

std::string settings_with(std::string_view text, const AgentHooks& hooks) {
  auto settings = settings_in(text);
  for (const auto& [event, command] : {std::pair{kCreateEvent, &hooks.create}, std::pair{kRemoveEvent, &hooks.remove}}) {
    if (has(settings, event, *command)) continue;
    auto& list = settings["hooks"][event];
    if (list.is_null()) list = Json::array();
    if (!list.is_array())
      throw Error(ErrorKind::bad_config, std::string("cannot add a hook: `hooks.") + event + "` is no list");
    list.push_back({{"hooks", Json::array({{{"type", "command"}, {"command", *command}}})}});
  }
  return written(settings);
}

std::string settings_without(std::string_view text, const AgentHooks& hooks) {
  return written(without(settings_in(text), hooks));
}

}  // namespace wtpool::proto
