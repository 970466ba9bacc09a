#include "daemon/disk/hook_file.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

namespace wtpool::disk {
namespace {

constexpr std::string_view kBetweenWords = " \t\r\n\"'`;|&()<>={}$";
constexpr std::size_t kMostWords = 64;
constexpr std::array<std::string_view, 4> kOfScript{"post_acquire", "pre_go", "pre_release", "post_land"};

std::string command_of(const ConfigMap& map, const YAML::Node& node) {
  if (!node.IsScalar()) throw map.error(yaml::fault_at(node, "a hook is a command, or a list of commands"));
  if (node.Scalar().empty()) throw map.error(yaml::fault_at(node, "a hook's command is empty"));
  if (node.Scalar().find('\0') != std::string::npos) throw map.error(yaml::fault_at(node, "a hook's command has a NUL in it"));
  return node.Scalar();
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Does a line of the script begin the function, as `name()` or `function name`?
bool has_function(const std::string& text, const std::string& name) {
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    std::string_view line = std::string_view(text).substr(start, end - start);
    start = end + 1;
    const auto skip = [&line] {
      while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
    };
    skip();
    constexpr std::string_view kFunction = "function";
    const bool said = line.starts_with(kFunction) && line.size() > kFunction.size() && is_blank(line[kFunction.size()]);
    if (said) line.remove_prefix(kFunction.size());
    skip();
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    if (said && (line.empty() || is_blank(line.front()) || line.front() == '{' || line.front() == '(')) return true;
    skip();
    if (line.starts_with('(')) return true;
  }
  return false;
}

// Below the directory, without `.` and doubled slashes; empty: it leads out of it.
std::string below(const std::string& word) {
  if (word.starts_with('/')) return {};
  std::string path = std::filesystem::path(word).lexically_normal().string();
  if (path == "." || path == ".." || path.starts_with("../")) return {};
  return path;
}

}  // namespace

std::vector<core::HookLine> read_hooks(const ConfigMap& map) {
  std::vector<core::HookLine> lines;
  const auto node = map.value("hooks");
  if (!node) return lines;
  if (!node->IsMap()) throw map.wrong("hooks", "takes events with their commands");
  for (const auto& entry : *node) {
    const std::string event = entry.first.IsScalar() ? entry.first.Scalar() : std::string();
    if (std::ranges::find(core::kHookEvents, event) == core::kHookEvents.end())
      throw map.error(yaml::fault_at(
          entry.first, "unknown event '" + event + "'; there are post_acquire, pre_go, pre_release, pre_land and post_land"));
    if (entry.second.IsNull()) continue;
    if (entry.second.IsSequence()) {
      for (const YAML::Node& command : entry.second) lines.push_back({event, command_of(map, command)});
    } else {
      lines.push_back({event, command_of(map, entry.second)});
    }
  }
  return lines;
}

std::vector<core::HookLine> parse_hook_file(const std::string& text) {
  return read_hooks(ConfigMap(text, kHookFile, {"hooks"}));
}

std::vector<core::HookLine> parse_hook_script(const std::string& text) {
  std::vector<core::HookLine> lines;
  for (const std::string_view event : kOfScript) {
    const std::string name = "wt_" + std::string(event);
    if (has_function(text, name)) lines.push_back({std::string(event), ". ./" + std::string(kHookScript) + " && " + name});
  }
  return lines;
}

std::vector<std::string> words_of(const std::string& command) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < command.size() && words.size() < kMostWords;) {
    const std::size_t start = command.find_first_not_of(kBetweenWords, at);
    if (start == std::string::npos) break;
    at = std::min(command.find_first_of(kBetweenWords, start), command.size());
    const std::string word = command.substr(start, at - start);
    const std::string path = below(word);
    if (words.empty()) {
      words.push_back(path.empty() ? word : word.find('/') == std::string::npos ? word : path);
    } else if (!path.empty() && !path.starts_with('-') && std::ranges::find(words, path) == words.end()) {
      words.push_back(path);
    }
  }
  return words;
}

}  // namespace wtpool::disk
